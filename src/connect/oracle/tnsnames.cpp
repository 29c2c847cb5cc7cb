#include "connect/oracle/tnsnames.h"

#include <algorithm>

#include "connect/oracle/ora_file.h"

namespace wherry::oracle {
namespace {

constexpr const char* kNamesFile = "tnsnames.ora";
constexpr const char* kNamesHint =
    "Check the name and the file, or write host:port/service or the full (DESCRIPTION=…)";

Error unknown_alias(std::string_view name, const std::string& why) {
  Error error =
      make_error(ErrorKind::kConfig, "oracle.unknown_alias",
                 "The connect name \"" + std::string(name) + "\" is not known: " + why, kNamesHint);
  error.native_code = "ORA-12154";
  return error;
}

bool is_bare_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_char);
}

/// A name with a dot has its domain already.
std::string qualified(std::string_view name, const std::string& domain) {
  std::string full(name);
  if (!domain.empty() && name.find('.') == name.npos) full += "." + domain;
  return upper_name(full);
}

Result<std::string> look_up_name(std::string_view name, const std::string& directory,
                                 const SqlnetOra& settings) {
  if (directory.empty()) {
    return unknown_alias(name, "neither tns_admin nor TNS_ADMIN names a directory of tnsnames.ora");
  }
  if (!settings.looks_up("TNSNAMES")) {
    return unknown_alias(name, "NAMES.DIRECTORY_PATH in " + directory +
                                   "/sqlnet.ora does not list TNSNAMES, and Wherry has no other "
                                   "way to look names up");
  }
  const std::string path = directory + "/" + kNamesFile;
  WHERRY_ASSIGN(const TnsNames names, read_tnsnames(path));
  for (const std::string& key : {qualified(name, settings.default_domain), upper_name(name)}) {
    const auto found = names.entries.find(key);
    if (found != names.entries.end()) return found->second;
  }
  std::string why = path + " has no such entry";
  if (settings.looks_up("LDAP", false)) why += ", and names are not looked up by LDAP";
  for (const std::string& problem : names.problems) why += "; " + problem;
  return unknown_alias(name, why);
}

}  // namespace

Result<TnsNames> read_tnsnames(const std::string& path) {
  WHERRY_ASSIGN(OraFile file, read_ora_file(path));
  TnsNames names;
  for (OraEntry& entry : file.entries) names.entries[entry.name] = std::move(entry.value);
  names.problems = std::move(file.problems);
  return names;
}

Result<ConnectTarget> resolve_connect_string(std::string_view text, const std::string& directory,
                                             const SqlnetOra& settings) {
  const std::string_view name = without_blanks(text);
  if (!is_bare_name(name)) return parse_connect_string(name, settings.description);
  WHERRY_ASSIGN(const std::string value, look_up_name(name, directory, settings));
  auto target = parse_connect_string(value, settings.description);
  if (!target.ok()) {
    return std::move(target).error().with("name", std::string(name));
  }
  return target;
}

}  // namespace wherry::oracle
