// The floor of tests/bench/chat: a bot on the same library that answers "echo: ANYTHING" in its channel, and does
// nothing else. echo SERVER PORT NICK CHANNEL
#include <libircclient.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

const char* channel;

void on_connect(irc_session_t* session, const char*, const char*, const char**, unsigned) {
  irc_cmd_join(session, channel, nullptr);
}

void on_channel(irc_session_t* session, const char*, const char*, const char** params, unsigned count) {
  if (count < 2 || params[1] == nullptr || std::strncmp(params[1], "echo: ", 6) != 0) return;
  irc_cmd_msg(session, params[0], (std::string("answer ") + (params[1] + 6)).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  channel = argv[4];
  irc_callbacks_t callbacks{};
  callbacks.event_connect = on_connect;
  callbacks.event_channel = on_channel;
  irc_session_t* session = irc_create_session(&callbacks);
  if (session == nullptr || irc_connect(session, argv[1], static_cast<unsigned short>(std::atoi(argv[2])), nullptr,
                                        argv[3], argv[3], argv[3]) != 0) {
    std::fprintf(stderr, "echo: cannot connect\n");
    return 1;
  }
  irc_run(session);
  return 0;
}
