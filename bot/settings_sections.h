// The sections of the configuration that are large enough for a file of their own. Only settings.cc includes this.
#pragma once

#include "bot/config_reader.h"
#include "bot/settings.h"
#include "pipeline/action_list.h"

namespace jarvis::bot {

void read_workers(const Value& value, Settings& settings);
void read_providers(const Value& value, Settings& settings);
void read_monitoring(const Value& value, Settings& settings);
// Where specs come from: both are granted to the module `spec`, the directory also to `ldapworker`. After `domain`.
void read_fetch(const Value& value, Settings& settings);
void read_ldap(const Value& value, Settings& settings);
// Booting from the network: granted to the modules `ldapworker` and `pxe`.
void read_pxe(const Value& value, Settings& settings);
// Links and roles first: people are checked against them.
void read_irc(const Value& value, Settings& settings);
void read_xmpp(const Value& value, Settings& settings);
void read_links(const Value& value, Settings& settings);
void finish_links(Settings& settings);
void read_roles(const Value& value, Settings& settings);
void read_people(const Value& value, Settings& settings);
// After the links: who is told of orphans.
void read_orphans(const Value& value, Settings& settings);

}  // namespace jarvis::bot
