#include "providers/vmware_soap.h"

#include "providers/vmware_faults.h"

namespace jarvis::providers::vmware {

namespace {

pugi::xml_node body_of(const pugi::xml_document& document) {
  return child(document, "Envelope/Body");
}

}  // namespace

std::string envelope(std::string_view method, const Reference& self, const Xml& arguments) {
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
      "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\""
      " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
      "<soapenv:Body><";
  text.append(method).append(" xmlns=\"urn:vim25\">");
  text += Xml().ref("_this", self).add(arguments).text();
  text.append("</").append(method).append("></soapenv:Body></soapenv:Envelope>");
  return text;
}

std::optional<Answer> read_answer(std::string_view method, const std::string& text) {
  Answer answer{std::make_shared<pugi::xml_document>(), {}};
  if (!answer.document->load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8)) return {};
  const pugi::xml_node body = body_of(*answer.document);
  if (const pugi::xml_node fault = child(body, "Fault")) {
    const auto details = elements(child(fault, "detail"));
    throw fault_of(details.empty() ? pugi::xml_node() : details.front(), vmware::text(fault, "faultstring"));
  }
  answer.response = child(body, std::string(method) + "Response");
  if (!answer.response) return {};
  return answer;
}

bool is_refusal(const std::string& text) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8)) return false;
  const pugi::xml_node fault = child(body_of(document), "Fault");
  const auto details = elements(child(fault, "detail"));
  return fault && (details.empty() || !fault_of(details.front(), "").is("SystemError"));
}

std::optional<std::string> words_of(const std::string& text) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8)) return {};
  const std::string words = vmware::text(body_of(document), "Fault/faultstring");
  return words.empty() ? std::nullopt : std::optional(words);
}

}  // namespace jarvis::providers::vmware
