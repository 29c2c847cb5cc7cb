// Where tests find the captured evidence that lies outside the repository: $WHERRY_SHARED, else
// ../shared beside the root of the source tree or of the current directory. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace wherry::oracle::trace {

/// An empty path when there is none.
inline std::filesystem::path shared_directory() {
  namespace fs = std::filesystem;
  if (const char* told = std::getenv("WHERRY_SHARED")) return told;
  std::error_code ignored;
  for (const fs::path& start : {fs::path(__FILE__).parent_path(), fs::current_path(ignored)}) {
    for (fs::path at = start; !at.empty(); at = at.parent_path()) {
      if (fs::exists(at / "CMakeLists.txt", ignored) &&
          fs::exists(at / "../shared/vectors", ignored)) {
        return at / "../shared";
      }
      if (at == at.root_path()) break;
    }
  }
  return {};
}

/// A machine that must have the evidence may not skip silently.
inline bool is_evidence_required() {
  const auto is_set = [](const char* name, std::string_view wanted) {
    const char* value = std::getenv(name);
    return value != nullptr && wanted == value;
  };
  return is_set("WHERRY_REQUIRE_SHARED", "1") || is_set("CI", "true");
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Base of suites that read vectors: `vectors_` is vectors/oracle-wire.
class SharedVectorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    vectors_ = shared_directory() / "vectors/oracle-wire";
    if (std::filesystem::exists(vectors_)) return;
    if (is_evidence_required()) {
      FAIL() << "captured evidence is missing: set WHERRY_SHARED to the shared directory";
    }
    GTEST_SKIP() << "*** NOT TESTED against captured Oracle traffic: there is no " << vectors_
                 << "; set WHERRY_SHARED ***";
  }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    return read_file(vectors_ / name);
  }

  std::filesystem::path vectors_;
};

}  // namespace wherry::oracle::trace
