// Values captured from real servers through the client's own decoders.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "connect/oracle/row_decoder.h"
#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/shared_vectors.h"
#include "connect/oracle/value_text.h"
#include "connect/oracle/wire/auth.h"
#include "connect/oracle/wire/capabilities.h"
#include "connect/oracle/wire/object_value.h"
#include "connect/oracle/wire/oson.h"

namespace wherry::oracle {
namespace {

struct Captured {
  std::string test, note;
  wire::Bytes bytes;
};

std::string word_after(const std::string& line, const std::string& key, const std::string& end) {
  const std::size_t at = line.find(key);
  if (at == line.npos) return {};
  const std::size_t from = at + key.size();
  return line.substr(from, line.find(end, from) - from);
}

class CapturedValues : public trace::SharedVectorTest {
 protected:
  /// What servers sent in the tests of that name.
  [[nodiscard]] std::vector<Captured> messages(const std::string& test) const {
    std::vector<Captured> all;
    std::istringstream lines(text_of("real-messages-8i-to-23ai.txt"));
    std::string line, hex;
    Captured current;
    const auto finish = [&] {
      const auto bytes = wire::from_hex(hex);
      if (bytes && !bytes->empty() && current.test.find(test) != std::string::npos) {
        current.bytes = *bytes;
        all.push_back(current);
      }
      hex.clear();
    };
    while (std::getline(lines, line)) {
      if (line.starts_with("#")) {
        finish();
        const bool is_server = line.find("direction=server ") != line.npos;
        current = {is_server ? word_after(line, "test=", " ") : "", line, {}};
      } else {
        hex += line;
      }
    }
    finish();
    return all;
  }
};

TEST_F(CapturedValues, JsonImagesAreRead) {
  const auto images = messages("test_oson");
  ASSERT_FALSE(images.empty());
  for (const Captured& image : images) {
    std::string text;
    EXPECT_EQ(wire::oson_to_json(image.bytes, text), wire::ValueStatus::kOk) << image.note;
    std::string problem;
    const auto again = wire::json_to_oson(text, problem);
    ASSERT_TRUE(again.has_value()) << problem;
    std::string back;
    EXPECT_EQ(wire::oson_to_json(wire::bytes_of(*again), back), wire::ValueStatus::kOk);
    EXPECT_EQ(back, text);
  }
}

/// The hash of a field name is the server's, or it would not find the field.
TEST_F(CapturedValues, JsonFieldNamesHashAsServersHashThem) {
  for (const Captured& image : messages("TestDecodeOsonLarge")) {
    std::string text, problem;
    ASSERT_EQ(wire::oson_to_json(image.bytes, text), wire::ValueStatus::kOk);
    const auto ours = wire::json_to_oson(text, problem);
    ASSERT_TRUE(ours.has_value());
    constexpr std::size_t kFirstHash = 13;
    ASSERT_GT(image.bytes.size(), kFirstHash);
    EXPECT_EQ(static_cast<std::uint8_t>((*ours)[kFirstHash]), image.bytes[kFirstHash]);
  }
}

TEST_F(CapturedValues, XmlImagesAreRead) {
  const auto images = messages("TestXmlType");
  ASSERT_FALSE(images.empty());
  for (const Captured& image : images) {
    const auto content = wire::parse_xml_image(image.bytes);
    ASSERT_TRUE(content.has_value()) << image.note;
    if (!content->is_locator) {
      EXPECT_EQ(wire::text_of(content->bytes).front(), '<');
    }
  }
}

TEST_F(CapturedValues, FileLocatorsNameTheirFile) {
  const auto locators = messages("test_bfile_lobops");
  ASSERT_FALSE(locators.empty());
  for (const Captured& captured : locators) {
    // The capture leaves out the length the locator begins with.
    wire::Writer locator, row;
    locator.u16(static_cast<std::uint16_t>(captured.bytes.size()));
    locator.raw(captured.bytes);
    row.ub4(static_cast<std::uint32_t>(locator.size()));
    row.clr(locator.bytes());
    ColumnDescription column;
    column.name = "F";
    column.type = OracleType::kBfile;
    column.max_bytes = 530;
    const CellKind kinds[] = {CellKind::kText};
    auto decoder = RowDecoder::make(std::span(&column, 1), kinds, wire::Dialect(), {});
    ASSERT_TRUE(decoder.ok());
    RowBatch batch;
    batch.reset(1);
    std::size_t consumed = 0;
    ASSERT_EQ(decoder->decode(row.bytes(), consumed, batch), RowStep::kRow);
    const std::string name = value_text(batch.at(0, 0)).value_or("");
    const std::size_t slash = name.find('/');
    ASSERT_NE(slash, name.npos) << name;
    EXPECT_NE(captured.note.find("\"" + name.substr(0, slash) + "\""), std::string::npos);
    EXPECT_NE(captured.note.find("\"" + name.substr(slash + 1) + "\""), std::string::npos);
  }
}

/// REF CURSORs of OUT binds: the message of bind directions, then the value.
TEST_F(CapturedValues, RefCursorsAreDescribed) {
  for (const Captured& captured : messages("TestRefCursor")) {
    wire::Reader in(captured.bytes);
    if (in.u8() != static_cast<std::uint8_t>(wire::Message::kIoVector)) continue;
    EXPECT_EQ(wire::decode_io_vector(in).size(), 1U);
    EXPECT_EQ(in.u8(), static_cast<std::uint8_t>(wire::Message::kRowData));
    EXPECT_NE(in.u8(), 0);
    wire::Dialect dialect;
    dialect.field_version = 6;
    dialect.wide_scale = true;
    const wire::Description description = wire::decode_describe_body(in, dialect);
    ASSERT_TRUE(in.ok()) << in.problem();
    ASSERT_EQ(description.columns.size(), 2U);
    EXPECT_EQ(description.columns[0].name, "A");
    EXPECT_EQ(description.columns[1].name, "B");
    EXPECT_NE(in.ub2(), 0);
  }
}

/// The payloads of a server's DATA packets that begin with a message of that type.
std::vector<wire::Bytes> payloads_of(const std::string& capture, wire::Message type) {
  constexpr std::size_t kHeader = 10;
  std::vector<wire::Bytes> payloads;
  std::istringstream in(capture);
  trace::read_capture({}, in, [&](const trace::Block& block) {
    const wire::ByteView bytes = wire::bytes_of(block.bytes);
    const bool is_wanted = block.direction == trace::Direction::kServer && bytes.size() > kHeader &&
                           bytes[kHeader] == static_cast<std::uint8_t>(type);
    if (is_wanted) payloads.emplace_back(bytes.begin() + kHeader, bytes.end());
  });
  return payloads;
}

/// A server whose character set is WE8ISO8859P15 counts in its own bytes, though it sends UTF-8.
TEST_F(CapturedValues, ASingleByteServerDescribesItsOwnLengths) {
  constexpr std::uint16_t kWe8Iso8859p15 = 46;
  wire::Dialect dialect;
  dialect.field_version = 12;
  std::size_t texts = 0;
  for (const wire::Bytes& payload :
       payloads_of(text_of("python_thin.txt"), wire::Message::kDescribe)) {
    wire::Reader in(payload);
    in.skip(1);
    const wire::Description description = decode_describe(in, dialect);
    ASSERT_TRUE(in.ok()) << in.problem();
    EXPECT_EQ(in.u8(), static_cast<std::uint8_t>(wire::Message::kRowHeader));
    for (const ColumnDescription& column : description.columns) {
      if (column.type != OracleType::kVarchar) continue;
      ++texts;
      EXPECT_EQ(column.charset, kWe8Iso8859p15) << column.name;
      EXPECT_EQ(column.form, CharsetForm::kDatabase);
      EXPECT_EQ(column.max_bytes, column.max_characters) << column.name;
      EXPECT_TRUE(column.max_bytes == 128 || column.max_bytes == 23) << column.name;
    }
  }
  EXPECT_EQ(texts, 3U);
}

/// What Wherry announces is what a client announces to which real servers answered in the layouts
/// that are decoded here: 19.22 and 23.26.
TEST_F(CapturedValues, CapabilitiesAreThoseOfAnOfficialThinClient) {
  const std::pair<const char*, wire::Bytes> sessions[] = {
      {"python_thin.txt", wire::client_compile_capabilities(12, false)},
      {"python_thin_failed_stmt.txt", wire::client_compile_capabilities(24, true)}};
  for (const auto& [name, capabilities] : sessions) {
    std::string wanted(1, static_cast<char>(capabilities.size()));
    wanted += wire::text_of(capabilities);
    bool is_there = false;
    std::istringstream in(text_of(name));
    trace::read_capture({}, in, [&](const trace::Block& block) {
      is_there |= block.direction == trace::Direction::kClient &&
                  block.bytes.find(wanted) != std::string::npos;
    });
    EXPECT_TRUE(is_there) << name;
  }
}

}  // namespace
}  // namespace wherry::oracle
