#include "connect/oracle/certificate_name.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

namespace wherry::oracle {
namespace {

std::string folded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return result;
}

std::string without_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') + 1 - first));
}

using Attributes = std::vector<std::pair<std::string, std::string>>;

/// "CN=db, O=x\, y" to its pairs; a backslash protects the next character.
Attributes parse_dn(std::string_view dn) {
  Attributes pairs;
  std::string item;
  const auto flush = [&] {
    const std::size_t equals = item.find('=');
    if (equals != item.npos) {
      pairs.emplace_back(folded(without_spaces(std::string_view(item).substr(0, equals))),
                         without_spaces(std::string_view(item).substr(equals + 1)));
    }
    item.clear();
  };
  for (std::size_t i = 0; i < dn.size(); ++i) {
    if (dn[i] == '\\' && i + 1 < dn.size()) {
      item.push_back(dn[++i]);
    } else if (dn[i] == ',') {
      flush();
    } else {
      item.push_back(dn[i]);
    }
  }
  flush();
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

bool label_matches(std::string_view pattern, std::string_view label) {
  const std::size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == label;
  const std::string_view head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  return tail.find('*') == tail.npos && label.size() >= head.size() + tail.size() &&
         label.starts_with(head) && label.ends_with(tail);
}

bool name_matches(std::string_view pattern_text, std::string_view host_text) {
  const std::string pattern = folded(pattern_text), host = folded(host_text);
  if (pattern == host) return true;
  const std::size_t pattern_dot = pattern.find('.'), host_dot = host.find('.');
  if (pattern_dot == pattern.npos || host_dot == host.npos) return false;
  return pattern.substr(pattern_dot) == host.substr(host_dot) &&
         label_matches(std::string_view(pattern).substr(0, pattern_dot),
                       std::string_view(host).substr(0, host_dot));
}

}  // namespace

bool has_subject(const net::PeerCertificate& peer, std::string_view expected_dn) {
  Attributes actual;
  for (const auto& [name, value] : peer.subject)
    actual.emplace_back(folded(name), without_spaces(value));
  std::sort(actual.begin(), actual.end());
  return actual == parse_dn(expected_dn);
}

bool has_host_name(const net::PeerCertificate& peer, std::span<const std::string> hosts) {
  const auto matches_any = [&](const std::string& pattern) {
    return std::any_of(hosts.begin(), hosts.end(),
                       [&](const std::string& host) { return name_matches(pattern, host); });
  };
  if (std::any_of(peer.dns_names.begin(), peer.dns_names.end(), matches_any)) return true;
  return std::any_of(peer.subject.begin(), peer.subject.end(), [&](const auto& attribute) {
    return attribute.first == "CN" && matches_any(attribute.second);
  });
}

}  // namespace wherry::oracle
