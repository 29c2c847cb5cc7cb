// The functions of DMS's expressions that SQLite does not have: replaceChars, hash_sha256 and
// operation_indicator (AWS DMS User Guide, "Using transformation rule expressions to define column
// content").
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace wherry::transform {

enum class Operation : std::uint8_t { kInsert, kUpdate, kDelete };

/// Adds them to `database`. operation_indicator() asks `operation`, which outlives the database.
/// The result is SQLite's: SQLITE_OK or why not.
int add_functions(sqlite3& database, const Operation& operation);

/// Each character of `text` that is found at place i of `from` becomes the one at place i of `to`,
/// or the first one of `to` where it has no such place. Characters are those of UTF-8.
std::string replace_characters(std::string_view text, std::string_view from, std::string_view to);

/// SHA-256 as 64 hexadecimal digits in upper case.
std::string sha256_hex(std::string_view bytes);

}  // namespace wherry::transform
