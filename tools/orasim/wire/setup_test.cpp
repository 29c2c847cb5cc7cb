#include "wire/setup.h"

#include <gtest/gtest.h>

namespace orasim::wire {
namespace {

ServerProfile profile() {
  ServerProfile profile;
  profile.compile = Bytes(54, 1);
  profile.runtime = Bytes(13, 2);
  return profile;
}

Bytes cookie_bytes(const ServerProfile& remembered) {
  Writer out;
  out.u8(1);
  out.u8(6);
  out.u16le(873);
  out.u8(1);
  out.u16le(2000);
  out.clr(std::string_view("x86_64/Linux 2.4.xx\0", 20));
  out.clr(remembered.compile);
  out.clr(remembered.runtime);
  return Bytes(out.view().begin(), out.view().end());
}

TEST(SessionCookie, IsOfTheServerThatStillAnnouncesTheSame) {
  const Bytes bytes = cookie_bytes(profile());
  Reader in{ByteView(bytes)};
  const SessionCookie cookie = decode_cookie(in);
  EXPECT_EQ(in.buffered(), 0U);
  EXPECT_TRUE(cookie.is_of(profile()));
  ServerProfile upgraded = profile();
  upgraded.compile[7] = 24;
  EXPECT_FALSE(cookie.is_of(upgraded));
}

TEST(SessionCookie, EndsEarlyInAnError) {
  const Bytes whole = cookie_bytes(profile());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Reader in{ByteView(whole.data(), size)};
    EXPECT_THROW(decode_cookie(in), ShortRead) << size;
  }
}

Bytes data_types_request(bool is_wide) {
  Writer out;
  out.u16le(873);
  out.u16le(873);
  out.u8(3);
  Bytes compile(40, 0);
  compile[27] = is_wide ? 1 : 0;
  out.clr(compile);
  out.clr(Bytes(7, 0));
  const auto item = [&](std::uint16_t value) {
    return is_wide ? out.u16(value) : out.u8(static_cast<std::uint8_t>(value));
  };
  for (const int value : {1, 1, 1, 0, 2, 2, 10, 0, 13, 0, 0})
    item(static_cast<std::uint16_t>(value));
  return Bytes(out.view().begin(), out.view().end());
}

TEST(DataTypes, ItemsAreOneByteForClientsWithoutTheCapability) {
  for (const bool is_wide : {true, false}) {
    const Bytes bytes = data_types_request(is_wide);
    Reader in{ByteView(bytes)};
    const DataTypesRequest request = decode_data_types(in);
    EXPECT_EQ(in.buffered(), 0U);
    ASSERT_EQ(request.types.size(), 3U);
    EXPECT_EQ(request.representation_of(2), 10);
    EXPECT_EQ(request.representation_of(13), 0);
    Writer reply;
    encode_data_types(reply, request, 1000);
    const std::size_t items = is_wide ? 22 : 11;
    ASSERT_EQ(reply.size(), 1 + items);
    EXPECT_TRUE(std::equal(reply.view().begin() + 1, reply.view().end(),
                           bytes.end() - static_cast<std::ptrdiff_t>(items)));
  }
}

}  // namespace
}  // namespace orasim::wire
