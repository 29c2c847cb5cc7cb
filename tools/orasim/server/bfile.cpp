#include "server/bfile.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "engine/error.h"
#include "engine/images.h"

namespace orasim::server {

namespace {

constexpr std::size_t kHeadBytes = 16;
constexpr std::uint8_t kExternal = 0x08;
constexpr std::size_t kMaxOpen = 10;  // SESSION_MAX_OPEN_FILES

std::string_view names_of(std::string_view locator) {
  return locator.substr(std::min(kHeadBytes, locator.size()));
}

std::pair<std::string, std::string> alias_and_file(std::string_view locator) {
  try {
    ImageReader in(names_of(locator));
    std::string alias(in.take(in.u16()));
    return {std::move(alias), std::string(in.take(in.u16()))};
  } catch (const ImageReader::Short&) {
    throw OraError(22275, "invalid LOB locator specified");
  }
}

[[noreturn]] void failed(const char* operation, const char* why) {
  throw OraError(22288, std::string("file or LOB operation ") + operation + " failed\n" + why);
}

}  // namespace

bool BfileTable::is_bfile(std::string_view locator) {
  return locator.size() > kHeadBytes && locator[4] == static_cast<char>(kExternal);
}

std::string BfileTable::locator_for(const Value& bfile) {
  const std::string& names = bfile.text();
  std::string out;
  append_be(out, kHeadBytes + names.size() - 2, 2);
  append_be(out, 1, 2);
  append_be(out, kExternal, 1);
  append_be(out, 0x08, 1);  // initialised
  out.append(kHeadBytes - out.size(), '\0');
  return out + names;
}

Value BfileTable::value_of(std::string_view locator) {
  const auto [alias, file] = alias_and_file(locator);
  std::string names;
  append_be(names, alias.size(), 2);
  names += alias;
  append_be(names, file.size(), 2);
  names += file;
  return Value{Type::kBfile, false, std::move(names)};
}

std::string BfileTable::path(std::string_view locator, const char* operation) const {
  const auto [alias, file] = alias_and_file(locator);
  const std::string directory = path_of_(alias);
  // A file of the directory itself, not one that its name leads to elsewhere.
  if (file.empty() || file.find('/') != std::string::npos || file == "." || file == "..") {
    failed(operation, "Invalid or unsupported file name");
  }
  return directory + "/" + file;
}

void BfileTable::open(std::string_view locator) {
  const std::string name = path(locator, "FILEOPEN");
  std::error_code error;
  if (!std::filesystem::is_regular_file(name, error))
    failed("FILEOPEN", "No such file or directory");
  if (!std::ifstream(name, std::ios::binary)) failed("FILEOPEN", "Permission denied");
  if (open_.size() >= kMaxOpen) {
    throw OraError(22290, "operation would exceed the maximum number of opened files or LOBs");
  }
  open_.emplace(names_of(locator));
}

void BfileTable::close(std::string_view locator) {
  const auto found = open_.find(names_of(locator));
  if (found == open_.end()) {
    throw OraError(22289, "cannot perform FILECLOSE operation on an unopened file or LOB");
  }
  open_.erase(found);
}

bool BfileTable::is_open(std::string_view locator) const {
  return open_.contains(names_of(locator));
}

bool BfileTable::exists(std::string_view locator) const {
  std::error_code error;
  return std::filesystem::is_regular_file(path(locator, "FILEEXISTS"), error);
}

std::uint64_t BfileTable::length(std::string_view locator) const {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path(locator, "GETLENGTH"), error);
  if (error) failed("GETLENGTH", "No such file or directory");
  return size;
}

std::string BfileTable::read(std::string_view locator, std::uint64_t offset,
                             std::uint64_t amount) const {
  if (!is_open(locator)) {
    throw OraError(22289, "cannot perform FILEREAD operation on an unopened file or LOB");
  }
  std::ifstream file(path(locator, "FILEREAD"), std::ios::binary);
  if (!file) failed("FILEREAD", "No such file or directory");
  file.seekg(static_cast<std::streamoff>(offset));
  std::string bytes(amount, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(amount));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return bytes;
}

}  // namespace orasim::server
