// What the files of the redo log are called. They are not on a disk: the names are what V$ views
// show and DBMS_LOGMNR.ADD_LOGFILE takes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/store.h"

namespace orasim::redo_names {

std::string online_member(std::uint32_t group);
std::string archived(std::uint32_t sequence, const DatabaseIdentity&);
/// The group of an online member, or 0.
std::uint32_t group_of(std::string_view name);
/// The sequence of an archived log of this database, or 0.
std::uint32_t sequence_of(std::string_view name, const DatabaseIdentity&);

}  // namespace orasim::redo_names
