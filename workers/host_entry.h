// A host's LDAP entry as a spec: the auxiliary class jarvisHost (config/jarvis.schema) and what host entries have
// anyway, turned into the keys that a spec in YAML has. Pure; knows no server.
//
//   hostname   jarvisHostname, else the first label of cn
//   fqdn       jarvisFqdn, else fqdn, else associatedDomain, else cn (completed by `domain`)
//   others     one attribute each (jarvisProvider -> provider ...), and jarvisSpec: "KEY: VALUE" for any other key
//
// ipHostNumber and macAddress are not read: they tell what the host has, a spec tells what it should get.
#pragma once

#include <string>
#include <vector>

#include "workers/ldap_client.h"

namespace jarvis::workers {

// What to ask the directory for.
std::vector<std::string> host_attributes();

// "instance:" with its keys, as YAML that gives back every value as it was. Error(Permanent) naming entry and attribute
// when a value is no text, a key has several values and is no list, or stands in two attributes.
std::string spec_of(const LdapEntry& entry, const std::string& domain);

}  // namespace jarvis::workers
