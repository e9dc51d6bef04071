#include "providers/linode_names.h"

#include <doctest/doctest.h>

#include <regex>

using namespace jarvis::providers;

TEST_CASE("labels of Linodes") {
  struct Case {
    const char* name;
    std::string fqdn;
    std::string label;  // empty: cut, with a digest
  };
  for (const Case& c : {
           Case{"as it is", "loki.example.org", "loki.example.org"},
           {"64 characters", std::string(52, 'a') + ".example.org", std::string(52, 'a') + ".example.org"},
           {"65 characters", std::string(53, 'a') + ".example.org", ""},
           {"253 characters", std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + ".org",
            ""},
           {"two hyphens", "xn--bcher-kva.example.org", ""},
           {"a digit in front", "1and1.example.org", ""},
       }) {
    CAPTURE(c.name);
    const std::string label = linode_label(c.fqdn);
    CHECK(std::regex_match(label, std::regex("[a-zA-Z](?:(?!--|__|\\.\\.)[a-zA-Z0-9._-]){1,62}[a-zA-Z0-9]")));
    CHECK(label == linode_label(c.fqdn));
    if (c.label.empty())
      CHECK(label != linode_label(c.fqdn + "g"));
    else
      CHECK(label == c.label);
  }
}

TEST_CASE("labels of volumes") {
  for (const std::string& name : {std::string("data"), std::string("a_b-c"), std::string(32, 'x'), std::string("1")}) {
    for (const std::string& fqdn :
         {std::string("loki.example.org"), std::string("xn--bcher-kva.org"), "a-" + std::string(50, 'z') + ".org"}) {
      const std::string label = volume_label(fqdn, name);
      CAPTURE(label);
      CHECK(std::regex_match(label, std::regex("[a-zA-Z](?:(?!--|__)[a-zA-Z0-9_-]){1,31}")));
      CHECK(label != volume_label(fqdn, name + "2"));
      CHECK(label != volume_label("b" + fqdn, name));
    }
  }
}

TEST_CASE("marks and tags") {
  const std::string longest = std::string(60, 'a') + ".example.org";
  const Marks known{longest, "r7", std::string(80, 's')};
  const Marks plain{"loki.example.org", "r7", "r7-3"};
  struct Case {
    const char* name;
    std::vector<std::string> tags;
    bool ours;
    std::string fqdn, step;
  };
  const std::vector<std::string> cut = linode_tags(known);
  for (const Case& c : {
           Case{"ours", linode_tags(plain), true, "loki.example.org", "r7-3"},
           {"ours among others'", {"web", "fqdn:a.org", "run:r", "step:s", "prod:yes"}, true, "a.org", "s"},
           {"cut and known", cut, true, known.fqdn, known.step},
           {"cut and not known", linode_tags({std::string(61, 'b'), "r", "s"}), true,
            linode_tag("fqdn", std::string(61, 'b')).substr(5), "s"},
           {"none", {}, false, "", ""},
           {"no step", {"fqdn:a.org", "run:r"}, false, "", ""},
           {"two fqdns", {"fqdn:a.org", "fqdn:b.org", "run:r", "step:s"}, false, "", ""},
       }) {
    CAPTURE(c.name);
    for (const std::string& tag : c.tags) CHECK((tag.size() >= 3 && tag.size() <= 50));
    const auto marks = marks_of(c.tags, known);
    REQUIRE(marks.has_value() == c.ours);
    if (!marks) continue;
    CHECK(marks->fqdn == c.fqdn);
    CHECK(marks->step == c.step);
  }
}

TEST_CASE("new marks leave people's tags alone") {
  std::vector<std::string> tags =
      with_marks({"web", "fqdn:a.org", "run:r", "step:s", "old-root:7"}, {"b.org", "q", "t"});
  CHECK(tags == std::vector<std::string>{"fqdn:b.org", "run:q", "step:t", "web"});
  tags.push_back(old_root_tag("62000123"));
  CHECK(old_root_of(tags) == "62000123");
  CHECK(!old_root_of(with_marks(tags, {"b.org", "q", "t"})));
}
