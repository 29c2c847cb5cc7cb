#include "connect/support/chunk_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace wherry::connect {
namespace {

TEST(ChunkFilesTest, ChunksComeBackAsTheyWereAndGoWithTheirObjects) {
  std::string pattern = (std::filesystem::temp_directory_path() / "wherry-test-XXXXXX").string();
  const std::filesystem::path base = ::mkdtemp(pattern.data());
  const std::filesystem::path directory = base / "chunks";
  const auto count = [&] {
    const std::filesystem::directory_iterator files(directory);
    return std::distance(begin(files), end(files));
  };
  std::filesystem::create_directory(directory);
  std::ofstream(directory / "of an earlier run") << "x";
  {
    ChunkFiles files(directory);
    const std::string large(3'000'000, 'a');
    auto first = files.put(large);
    auto second = files.put(std::string("\0b", 2));
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_EQ(count(), 2);
    EXPECT_EQ((*first)->read().value(), large);
    EXPECT_EQ((*second)->read().value(), std::string("\0b", 2));
    first->reset();
    EXPECT_EQ(count(), 1);
    for (const auto& file : std::filesystem::directory_iterator(directory)) {
      std::filesystem::resize_file(file.path(), std::filesystem::file_size(file.path()) - 1);
    }
    EXPECT_EQ((*second)->read().value(), "");
  }
  EXPECT_FALSE(std::filesystem::exists(directory));
  std::filesystem::remove_all(base);
}

}  // namespace
}  // namespace wherry::connect
