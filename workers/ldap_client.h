// The shared LDAP client (OpenLDAP's libldap, whose room ldap_connection.cc, ldap_client.cc and ldap_name.cc are):
// searches a directory and writes to it. An interface, so that a fake can stand in. Knows no clipboard, no host and no
// schema. Nothing is taken from the environment or from ldap.conf. From the first connection on the process ignores
// SIGPIPE.
//
// TLS: ldaps://, or ldap:// with StartTLS, verified against the authorities that the caller names, else the system's.
// Without either a password goes to this machine (or ldapi://) only. Referrals (RFC 4511 section 4.1.10) are followed,
// at most ten and three deep; a server that is not among the caller's is asked over verified TLS only, and
// anonymously; nothing is written there.
//
// Errors name server and reason, never a password; what a server says in them has no control characters. What may pass
// by itself (down, busy, silent, no such name) is Error(Transient); wrong credentials, a certificate that is not
// accepted and a right that is missing are Error(Permanent).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace jarvis::workers {

struct LdapAccess {
  std::vector<std::string> uris;  // ldap:// ldaps:// ldapi://, tried in order
  bool starttls = true;           // of ldap://
  std::string ca_file;            // empty: the system's authorities
  std::string bind_dn;            // empty: anonymous
  std::string password;
  std::chrono::milliseconds network_limit{3'000};    // of a connection, and of a TLS handshake
  std::chrono::milliseconds operation_limit{5'000};  // of one answer
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();  // of everything
};

struct LdapEntry {
  std::string dn;
  std::map<std::string, std::vector<std::string>> values;  // attribute in lower case, without options
};

struct LdapSearch {
  std::string base;
  bool subtree = false;  // else the base entry alone
  std::string filter = "(objectClass=*)";
  std::vector<std::string> attributes;
  int most_entries = 10;
};

struct LdapFound {
  std::vector<LdapEntry> entries;
  bool more = false;  // there are more than most_entries
};

// Values of one attribute to take away, and to put in.
struct LdapChange {
  std::string attribute;
  std::vector<std::string> remove, add;
};

class Directory {
 public:
  virtual ~Directory() = default;
  virtual const std::string& server() const = 0;  // the URI that answered
  // Blocks. A base that does not exist is no entry.
  virtual LdapFound search(const LdapSearch& search) = 0;

  // Each blocks, and is done or not done as a whole (RFC 4511 section 4.6); after an error of the network nobody knows,
  // so look again. What somebody else did since the caller looked (an entry or a value that is there already, or there
  // no more) is Error(Transient): look again, too. To remove what is not there is no error.
  virtual void add(const LdapEntry& entry) = 0;
  virtual void modify(const std::string& dn, const std::vector<LdapChange>& changes) = 0;
  virtual void remove(const std::string& dn) = 0;
};

// Connects to the first server that can be had and binds. Blocks. When none can, the error is Transient as soon as one
// of them may come back, and tells them all. Wrong credentials are an answer: no other server is asked.
std::unique_ptr<Directory> open_directory(const LdapAccess& access);

// The servers of a domain by its SRV records (_ldap._tcp, RFC 2782, in their order): ldaps:// where the port is 636,
// else ldap://. Blocks for the system's resolver. Error(Transient) when there are none.
std::vector<std::string> discover_ldap_servers(const std::string& domain);

}  // namespace jarvis::workers
