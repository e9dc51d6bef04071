// SOAP 1.1 envelopes of vSphere's API, and what is read from an answer. Knows no session and sends nothing. Pure.
// Source: SOAP 1.1 section 4; vSphere Web Services SDK Programming Guide 6.5.
#pragma once

#include <memory>
#include <string>

#include "providers/vmware_xml.h"

namespace jarvis::providers::vmware {

// The version of the API that is spoken: what every supported server knows, ESXi 6.5 too.
inline constexpr const char* kSoapAction = "urn:vim25/6.5";

std::string envelope(std::string_view method, const Reference& self, const Xml& arguments);

// An answer owns its document; `response` is the element METHODResponse.
struct Answer {
  std::shared_ptr<pugi::xml_document> document;
  pugi::xml_node response;

  pugi::xml_node returned() const { return child(response, "returnval"); }
};

// Throws Fault for a SOAP fault. Nothing is in the answer if the text is no envelope with what was asked.
std::optional<Answer> read_answer(std::string_view method, const std::string& text);
// Is this text a SOAP fault that says no: it comes with status 500, and is an answer all the same. "A general system
// error" is none: it says that the server could not think.
bool is_refusal(const std::string& text);
// A fault's own words; nothing if it is none.
std::optional<std::string> words_of(const std::string& text);

}  // namespace jarvis::providers::vmware
