// When to ask the server whether it is still there (XEP-0199 ping), and when to believe that it is not: a TCP
// connection whose other end hangs or vanished gives no error by itself. Pure; the caller sends the pings.
//
// Every answer also confirms what was sent before its ping, because a server works through a stream in order. So after
// something was sent the question follows soon, and otherwise rarely. This is used instead of stream management
// (XEP-0198): gloox resumes only within one Client object and resends its own queue blindly.
#pragma once

#include "bot/links/xmpp/delay.h"

namespace jarvis::bot::links::xmpp {

class Pulse {
 public:
  // `every`: between pings of an idle connection; `timeout`: how long an answer may take; `soon`: after something was
  // sent.
  Pulse(milliseconds every, milliseconds timeout, milliseconds soon);

  void begin(Time now);                         // a connection is up
  void said(Time now);                          // something was sent that needs confirmation
  bool due(Time now) const;                     // time to ping
  void asked(Time now);                         // a ping went out
  void answered(Time now);                      // its answer came
  bool is_waiting() const { return waiting_; }  // for an answer
  bool is_dead(Time now) const;                 // the answer is overdue
  Time next() const;                            // when to look again

 private:
  milliseconds every_, timeout_, soon_;
  Time next_ping_{}, asked_{};
  bool waiting_ = false;
};

}  // namespace jarvis::bot::links::xmpp
