#include "server/generation.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "wire/packet.h"

namespace orasim::server {

namespace {

struct Byte {
  std::size_t index;
  std::uint8_t value;
};

// Compile-time capabilities: what all generations have in common, and where one differs.
wire::Bytes compile_capabilities(std::size_t size, std::initializer_list<Byte> own) {
  wire::Bytes bytes(size, 0);
  std::fill_n(bytes.begin(), std::min<std::size_t>(size, 38), std::uint8_t{1});
  static constexpr Byte kCommon[] = {{0, 6},     {15, 0x7F}, {16, 0xFF}, {17, 3},    {18, 0x0E},
                                     {19, 3},    {20, 3},    {23, 0xFF}, {25, 0xFF}, {26, 0xFF},
                                     {28, 0x0B}, {31, 0xFF}, {33, 0x06}, {34, 0x0B}, {35, 0xE2},
                                     {37, 0x7F}, {38, 5},    {39, 0x0F}, {40, 0x0F}, {41, 0x0D}};
  const auto put = [&](const Byte& byte) {
    if (byte.index < size) bytes[byte.index] = byte.value;
  };
  std::for_each(std::begin(kCommon), std::end(kCommon), put);
  std::for_each(own.begin(), own.end(), put);
  return bytes;
}

wire::Bytes runtime_capabilities(std::uint8_t flags) {
  return {2, 1, 0, 1, 0x18, 0, flags};
}

Generation generation(std::string_view name, std::string_view version, std::string_view engine,
                      std::uint16_t tns_version, wire::Bytes compile, wire::Bytes runtime) {
  Generation out{name, version, engine, tns_version, 0, wire::Verifier::k12c, {}};
  out.profile.compile = std::move(compile);
  out.profile.runtime = std::move(runtime);
  return out;
}

constexpr std::uint32_t kAcceptOf23 =
    wire::kAcceptFastAuth | 0x08000000 | wire::kAcceptEndOfResponse;

// The servers recorded announce field version 27; the layouts after 24 are not known.
Generation of_23(std::string_view name, std::string_view version) {
  wire::Bytes compile = compile_capabilities(54, {{4, 0xEF},
                                                  {5, 0x0F},
                                                  {7, 24},
                                                  {18, 0x10},
                                                  {28, 0x0E},
                                                  {34, 0x0C},
                                                  {35, 0xF6},
                                                  {36, 9},
                                                  {40, 0xFF},
                                                  {42, 0x0B},
                                                  {44, 0xFF},
                                                  {45, 3},
                                                  {51, 7},
                                                  {52, 2},
                                                  {53, 2}});
  Generation out = generation(name, version, "23", 319, std::move(compile),
                              {2, 1, 0, 1, 0x18, 0, 0x7F, 1, 2, 0, 0, 0, 0});
  out.accept_flags = kAcceptOf23;
  return out;
}

// Before 12.1: 16-bit packet lengths, strings cut into pieces of at most 64 bytes, the MD5 key.
Generation of_11() {
  Generation out = generation("11.2", "11.2.0.4.0", "12.2", 314,
                              compile_capabilities(39, {{4, 0x0F},
                                                        {7, 6},
                                                        {18, 0x0A},
                                                        {22, 0},
                                                        {23, 0x7F},
                                                        {25, 0x7F},
                                                        {28, 0x06},
                                                        {31, 0x3F},
                                                        {33, 0x03},
                                                        {34, 0x06},
                                                        {35, 0},
                                                        {37, 0x03},
                                                        {38, 2}}),
                              runtime_capabilities(0x03));
  out.verifier = wire::Verifier::k11gPlain;
  return out;
}

std::array<Generation, 8> make_generations() {
  const auto of_12 = [](std::uint8_t field_version) {
    return compile_capabilities(42, {{4, 0x6F}, {7, field_version}});
  };
  return {of_11(),
          generation("12.1", "12.1.0.2.0", "12.2", 315, of_12(7), runtime_capabilities(0x07)),
          generation("12.2", "12.2.0.1.0", "12.2", 316, of_12(9), runtime_capabilities(0x37)),
          generation("18c", "18.3.0.0.0", "19", 317, of_12(11), runtime_capabilities(0x77)),
          generation("19c", "19.22.0.0.0", "19", 318,
                     compile_capabilities(42, {{4, 0x6F}, {5, 7}, {7, 12}}),
                     runtime_capabilities(0x77)),
          generation("21c", "21.3.0.0.0", "19", 318,
                     compile_capabilities(45, {{4, 0x6F},
                                               {7, 16},
                                               {18, 0x10},
                                               {34, 0x0C},
                                               {35, 0xE6},
                                               {40, 0x7F},
                                               {42, 3},
                                               {44, 1}}),
                     runtime_capabilities(0x7F)),
          of_23("23ai", "23.9.0.25.7"),
          of_23("26ai", "23.26.2.0.0")};
}

}  // namespace

std::span<const Generation> generations() {
  static const std::array<Generation, 8> kAll = make_generations();
  return kAll;
}

const Generation* find_generation(std::string_view name) {
  const std::span<const Generation> all = generations();
  const auto same = [&](const Generation& one) {
    const bool digits = name.size() == 2 && one.name.size() > 2 && one.name[2] != '.';
    return one.name == name || (digits && one.name.starts_with(name));
  };
  const auto found = std::find_if(all.begin(), all.end(), same);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace orasim::server
