// Files that survive a crash: replaced as a whole, or grown line by line. Errors:
// "state.io" with the file and errno's text, kResource for a full disk, kConfig for a bad
// directory.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

namespace wherry {

Error file_error(const std::filesystem::path& path, int number, const char* action);
/// Writes all of `text` and flushes it to the disk.
Result<void> write_and_flush(int fd, std::string_view text, const std::filesystem::path& path);
/// Written beside, flushed, renamed: afterwards `path` holds the old text or the new.
Result<void> replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace wherry
