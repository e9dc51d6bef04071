// The floor of tests/bench/chat: a bot on the same library that answers "echo: ANYTHING" in its channel, and does
// nothing else but acknowledge at once, like jarvis: the server leaves Nagle's algorithm on, so after a line that
// nobody answers the next one would wait for 40 ms, and that would be compared. echo SERVER PORT NICK CHANNEL
#include <libircclient.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

const char* channel;

void on_connect(irc_session_t* session, const char*, const char*, const char**, unsigned) {
  irc_cmd_join(session, channel, nullptr);
}

void acknowledge(irc_session_t* session) {
  fd_set in, out;
  FD_ZERO(&in);
  FD_ZERO(&out);
  int socket = -1;
  irc_add_select_descriptors(session, &in, &out, &socket);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void on_channel(irc_session_t* session, const char*, const char*, const char** params, unsigned count) {
  if (count < 2 || params[1] == nullptr || std::strncmp(params[1], "echo: ", 6) != 0) return acknowledge(session);
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
