#include "store/redo_names.h"

#include <charconv>

#include "store/redo_log.h"

namespace orasim::redo_names {
namespace {

constexpr std::string_view kArchiveFolder = "/u01/app/oracle/fast_recovery_area/1_";

std::string archive_tail(const DatabaseIdentity& id) {
  return "_" + std::to_string(id.database_id) + ".arc";
}

}  // namespace

std::string online_member(std::uint32_t group) {
  return "/u01/app/oracle/oradata/redo0" + std::to_string(group) + ".log";
}

std::string archived(std::uint32_t sequence, const DatabaseIdentity& id) {
  return std::string(kArchiveFolder) + std::to_string(sequence) + archive_tail(id);
}

std::uint32_t group_of(std::string_view name) {
  for (std::uint32_t group = 1; group <= RedoLog::kGroups; ++group) {
    if (name == online_member(group)) return group;
  }
  return 0;
}

std::uint32_t sequence_of(std::string_view name, const DatabaseIdentity& id) {
  if (!name.starts_with(kArchiveFolder)) return 0;
  name.remove_prefix(kArchiveFolder.size());
  std::uint32_t sequence = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), sequence);
  if (read.ec != std::errc()) return 0;
  name.remove_prefix(static_cast<std::size_t>(read.ptr - name.data()));
  return name == archive_tail(id) ? sequence : 0;
}

}  // namespace orasim::redo_names
