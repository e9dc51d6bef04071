// jarvis-xmpp: the link to XMPP (Jabber). Started by jarvis, without arguments; docs/links.md.
#include <csignal>
#include <cstdio>
#include <exception>

#include "bot/links/xmpp/link.h"

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("usage: jarvis-xmpp (started by jarvis; reads its configuration from standard input)\n", stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return jarvis::bot::links::xmpp::Link().run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jarvis-xmpp: %s\n", error.what());
    return 1;
  }
}
