#include "store/redo_names.h"

#include <charconv>

#include "store/redo_log.h"

namespace orasim::redo_names {
namespace {

constexpr std::string_view kArchiveFolder = "/u01/app/oracle/fast_recovery_area/";

std::string archive_tail(const DatabaseIdentity& id) {
  return "_" + std::to_string(id.database_id) + ".arc";
}

}  // namespace

std::string online_member(std::uint32_t group) {
  return "/u01/app/oracle/oradata/redo" + std::string(group < 10 ? "0" : "") +
         std::to_string(group) + ".log";
}

std::string archived(std::uint32_t thread, std::uint32_t sequence, const DatabaseIdentity& id) {
  return std::string(kArchiveFolder) + std::to_string(thread) + "_" + std::to_string(sequence) +
         archive_tail(id);
}

std::uint32_t group_of(std::string_view name) {
  for (std::uint32_t group = 1; group <= RedoLog::kGroups * RedoLog::kMostThreads; ++group) {
    if (name == online_member(group)) return group;
  }
  return 0;
}

std::optional<ArchivedLog> archived_of(std::string_view name, const DatabaseIdentity& id) {
  if (!name.starts_with(kArchiveFolder)) return std::nullopt;
  ArchivedLog log;
  const char* const end = name.data() + name.size();
  const auto thread = std::from_chars(name.data() + kArchiveFolder.size(), end, log.thread);
  if (thread.ec != std::errc() || thread.ptr == end || *thread.ptr != '_') return std::nullopt;
  const auto sequence = std::from_chars(thread.ptr + 1, end, log.sequence);
  if (sequence.ec != std::errc()) return std::nullopt;
  const bool is_ours = std::string_view(sequence.ptr, end) == archive_tail(id);
  return is_ours ? std::optional(log) : std::nullopt;
}

}  // namespace orasim::redo_names
