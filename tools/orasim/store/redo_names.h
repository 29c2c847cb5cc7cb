// What the files of the redo log are called. They are not on a disk: the names are what V$ views
// show and DBMS_LOGMNR.ADD_LOGFILE takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/store.h"

namespace orasim::redo_names {

std::string online_member(std::uint32_t group);
std::string archived(std::uint32_t thread, std::uint32_t sequence, const DatabaseIdentity&);
/// The group of an online member, or 0.
std::uint32_t group_of(std::string_view name);
/// Which archived log of this database it is; nullopt: none.
struct ArchivedLog {
  std::uint32_t thread = 0, sequence = 0;
};
std::optional<ArchivedLog> archived_of(std::string_view name, const DatabaseIdentity&);

}  // namespace orasim::redo_names
