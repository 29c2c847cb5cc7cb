#include "wire/packet.h"

#include <gtest/gtest.h>

#include "wire/test_hex.h"

namespace orasim::wire {
namespace {

TEST(PacketHeader, ReadsBothLengthForms) {
  const Bytes narrow = hex("00FA 0000 01 00 0000");
  EXPECT_EQ(decode_header(narrow, false).length, 250U);
  EXPECT_EQ(decode_header(narrow, false).type, PacketType::kConnect);
  const Bytes wide = hex("00012345 06 00 0000");
  EXPECT_EQ(decode_header(wide, true).length, 0x12345U);
}

TEST(PacketHeader, RefusesImpossibleLengths) {
  EXPECT_THROW(decode_header(hex("0007 0000 06 00 0000"), false), BadMessage);
  EXPECT_THROW(decode_header(hex("00200001 06 00 0000"), true), BadMessage);
}

Bytes connect_packet(std::string_view data, bool inside) {
  Bytes packet =
      hex("0000 0000 01 00 0000 013f 012c 0001 2000 ffff 4f98 0000 0001"
          "0000 004a 00000000 84 84 0000000000000000 0000000000000000 0000000000000000"
          "00010000 00010000 00000000 00000000");
  packet[24] = static_cast<std::uint8_t>(data.size() >> 8);
  packet[25] = static_cast<std::uint8_t>(data.size());
  if (inside) packet.insert(packet.end(), data.begin(), data.end());
  packet[1] = static_cast<std::uint8_t>(packet.size());
  return packet;
}

TEST(Connect, ReadsVersionSizesAndData) {
  const ConnectRequest request = decode_connect(connect_packet("(X=1)", true));
  EXPECT_EQ(request.version, 319);
  EXPECT_EQ(request.sdu, 65536U);
  EXPECT_EQ(request.data, "(X=1)");
}

TEST(Connect, DataMayFollowInAnotherPacket) {
  const ConnectRequest request = decode_connect(connect_packet(std::string(300, 'x'), false));
  EXPECT_EQ(request.data_length, 300);
  EXPECT_TRUE(request.data.empty());
}

TEST(Connect, EveryCutEndsInAnErrorOrWithoutData) {
  const Bytes whole = connect_packet("(A=B)", true);
  for (std::size_t size = 8; size < whole.size(); ++size) {
    try {
      EXPECT_TRUE(decode_connect(ByteView(whole).first(size)).data.empty());
    } catch (const ShortRead&) {
    } catch (const BadMessage&) {
    }
  }
}

TEST(ConnectData, FindsValuesWhateverTheCaseAndSpaces) {
  const char* data =
      "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=h)(PORT=1))"
      "(CONNECT_DATA=( Service_Name = sim )(CID=(PROGRAM=x)(USER=u))))";
  EXPECT_EQ(connect_value(data, "SERVICE_NAME"), "sim");
  EXPECT_EQ(connect_value(data, "USER"), "u");
  EXPECT_EQ(connect_value(data, "SID"), "");
  EXPECT_EQ(connect_value("(((((SERVICE_NAME=", "SERVICE_NAME"), "");
}

TEST(Accept, HasTheBytesAllClientsAccept) {
  AcceptReply reply;
  reply.version = 318;
  EXPECT_EQ(to_hex(encode_accept(reply)),
            to_hex(hex("002d0000 02000000 013e 0801 2000 ffff 0100 0000 002d 45 49"
                       "0000 0000 0000 0000 00002000 00200000 00 00000000")));
  reply.version = 316;
  EXPECT_EQ(encode_accept(reply).size(), 41U);
}

TEST(Refuse, TextIsInsideOrInAPacketOfItsOwn) {
  const std::string text = refuse_text(12514);
  EXPECT_NE(text.find("(ERR=12514)"), std::string::npos);
  const Bytes inside = encode_refuse(text);
  EXPECT_EQ(decode_header(inside, false).length, inside.size());
  const Bytes apart = encode_refuse(text, true);
  EXPECT_EQ(decode_header(apart, false).length, 12U);
  EXPECT_EQ(decode_header(ByteView(apart).subspan(12), false).type, PacketType::kData);
}

TEST(Redirect, SeparatesAddressAndConnectDataByANul) {
  const Bytes packets = encode_redirect("ADDR", "DATA");
  EXPECT_EQ(to_hex(packets), to_hex(hex("000A 0000 05 02 0000 0009"
                                        "0013 0000 06 00 0000 0000 41444452 00 44415441")));
}

TEST(Marker, IsElevenBytesInBothForms) {
  EXPECT_EQ(to_hex(encode_marker(Marker::kReset, true)), "0000000B0C000000010002");
  EXPECT_EQ(to_hex(encode_marker(Marker::kBreak, false)), "000B00000C000000010001");
  EXPECT_EQ(decode_marker(hex("0000000B0C000000010003")), Marker::kInterrupt);
  EXPECT_EQ(decode_marker(hex("000000080C000000")), Marker::kBreak);
}

}  // namespace
}  // namespace orasim::wire
