// Files of changes that wait: what decodes is encoded and decoded again, to the same bytes; a file
// is read up to where it is whole, or refused in words.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "changes/change_log.h"
#include "changes/shape_codec.h"
#include "input.h"

namespace {

using namespace wherry;           // NOLINT(google-build-using-namespace): one small program
using namespace wherry::changes;  // NOLINT(google-build-using-namespace)
using fuzz::Input;
using fuzz::require;

const std::filesystem::path& directory() {
  static const std::filesystem::path made = [] {
    std::string path = (std::filesystem::temp_directory_path() / "wherry-fuzz-XXXXXX").string();
    require(::mkdtemp(path.data()) != nullptr);
    static const std::string remembered = path;
    std::atexit([] {
      std::error_code ignored;
      std::filesystem::remove_all(remembered, ignored);
    });
    return std::filesystem::path(path);
  }();
  return made;
}

LargeValues some_large_values() {
  static const std::shared_ptr<SpillFile> file = [] {
    auto made = SpillFile::create(directory()).value();
    require(made->append(std::string(1000, 'v')).ok());
    return made;
  }();
  return {file, 0};
}

/// A decoded shape gets a number that no other has in this process. These are numbered in the order
/// in which they come, so that the same records have the same bytes.
class Renumbered {
 public:
  const connect::RowShape* shape(const connect::RowShape* decoded) {
    if (decoded == nullptr) return nullptr;
    auto& own = shapes_[decoded->id];
    if (own.id == 0) {
      own = *decoded;
      own.id = static_cast<std::uint32_t>(shapes_.size());
    }
    return &own;
  }

 private:
  std::map<std::uint32_t, connect::RowShape> shapes_;
};

/// Records of `bytes`, encoded again.
std::string encoded_again(std::string_view bytes) {
  ChangeDecoder decoder;
  ChangeEncoder encoder;
  Renumbered renumbered;
  std::string out;
  LargeValues values = some_large_values();
  while (!bytes.empty()) {
    connect::ChangeBatch batch;
    if (!decoder.next(bytes, values, batch).ok()) return out;
    require(batch.changes().size() == 1);
    connect::Change change = batch.changes()[0];
    change.shape = renumbered.shape(change.shape);
    encoder.add(&batch, change, out);
  }
  return out;
}

void records(Input& input) {
  const std::string once = encoded_again(input.text());
  require(encoded_again(once) == once);
}

void shape(Input& input) {
  const auto decoded = decode_shape(input.text());
  if (!decoded) return;
  const auto encoded = [](const connect::RowShape& shape) {
    return encode_shape(*Renumbered().shape(&shape));
  };
  const std::string bytes = encoded(*decoded);
  const auto again = decode_shape(bytes);
  require(again != nullptr && encoded(*again) == bytes);
}

void read_file(const std::filesystem::path& path) {
  const auto log = survey(path, directory());
  if (!log.ok()) {
    require(!log.error().hint.empty());
    return;
  }
  auto reader = ChangeLogReader::open(path, directory());
  require(reader.ok());
  connect::ChangeBatch batch;
  for (;;) {
    batch.reset();
    const auto next = reader->next(log->size_bytes, batch);
    require(next.ok());
    if (!*next) return;
  }
}

std::filesystem::path write_file(std::string_view bytes) {
  const auto path = directory() / "file";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  require(fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  ::close(fd);
  return path;
}

void whole_file(Input& input) {
  read_file(write_file(std::string(kFileHead) + std::string(input.text())));
}

/// A sound file around any records, then cut.
void cut_file(Input& input) {
  const std::size_t keep = 8 + (input.byte() | input.byte() << 8);
  const auto path = directory() / "sound";
  {
    Compressor compressor;
    auto file = BlockWriter::create(path, compressor);
    require(file.ok());
    ChangeLogWriter log(std::move(*file), 100);
    std::string_view bytes = input.text();
    ChangeDecoder decoder;
    LargeValues values = some_large_values();
    while (!bytes.empty()) {
      connect::ChangeBatch batch;
      if (!decoder.next(bytes, values, batch).ok()) break;
      require(log.add(batch, batch.changes()[0]).ok());
    }
    require(log.flush().ok());
    if (keep < log.size_bytes()) require(::truncate(path.c_str(), static_cast<off_t>(keep)) == 0);
  }
  read_file(path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr wherry::fuzz::Part kParts[] = {records, shape, whole_file, cut_file};
  return wherry::fuzz::run_part(kParts, data, size);
}
