#include "connect/oracle/trace/native_services.h"

#include <array>
#include <string_view>

#include "connect/oracle/trace/message_text.h"

namespace wherry::oracle::trace {
namespace {

enum Service : std::uint16_t {
  kAuthentication = 1,
  kEncryption = 2,
  kIntegrity = 3,
  kSupervisor = 4
};
enum DataType : std::uint16_t { kString = 0, kRaw = 1, kByte = 2 };

constexpr std::array<std::string_view, 18> kEncryptionNames = {
    "none", "RC4_40",  "DES56C",  "DES40C",  "", "", "RC4_256", "",       "RC4_56",
    "",     "RC4_128", "3DES112", "3DES168", "", "", "AES128",  "AES192", "AES256"};
constexpr std::array<std::string_view, 7> kIntegrityNames = {"none",   "MD5",    "",      "SHA1",
                                                             "SHA512", "SHA256", "SHA384"};

template <std::size_t N>
std::string algorithm(const std::array<std::string_view, N>& names, unsigned id) {
  if (id < N && !names[id].empty()) return std::string(names[id]);
  return "algorithm " + std::to_string(id);
}

std::string algorithm(std::uint16_t service, unsigned id) {
  return service == kEncryption ? algorithm(kEncryptionNames, id) : algorithm(kIntegrityNames, id);
}

std::string service_name(std::uint16_t service) {
  switch (service) {
    case kAuthentication:
      return "authentication";
    case kEncryption:
      return "encryption";
    case kIntegrity:
      return "integrity";
    case kSupervisor:
      return "supervisor";
    default:
      return "service " + std::to_string(service);
  }
}

/// The algorithms named by one sub-packet of the encryption or integrity service.
void read_algorithms(Reader& in, std::uint16_t service, std::uint16_t type, std::size_t bytes,
                     bool is_server, Json& out) {
  const ByteView data = in.raw(bytes);
  if (is_server) {
    if (type == kByte && data.size() == 1) out["chosen"] = algorithm(service, data[0]);
    return;
  }
  if (type != kRaw || out.contains("offered")) return;
  out["offered"] = Json::array();
  for (const std::uint8_t id : data) out["offered"].push_back(algorithm(service, id));
}

Json read_service(Reader& in, bool is_server) {
  const std::uint16_t service = in.u16();
  const std::uint16_t packets = in.u16();
  const std::uint32_t error = in.u32();
  Json out{{"service", service_name(service)}};
  if (error != 0) out["error"] = error;
  for (std::uint16_t i = 0; i < packets && in.ok(); ++i) {
    const std::uint16_t bytes = in.u16();
    const std::uint16_t type = in.u16();
    if (service == kEncryption || service == kIntegrity) {
      read_algorithms(in, service, type, bytes, is_server, out);
    } else {
      in.skip(bytes);
    }
  }
  return out;
}

std::string chosen_of(const Json& service) {
  const std::string name = service.value("chosen", "none");
  return name == "none" ? std::string() : name;
}

}  // namespace

bool is_native_services(ByteView payload) {
  Reader in(payload);
  return in.u32() == kNativeServicesMagic && in.ok();
}

NativeServices decode_native_services(ByteView payload, bool is_server) {
  NativeServices result;
  result.fields = Json{{"message", "native services"}, {"services", Json::array()}};
  Reader in(payload);
  in.skip(10);
  const std::uint16_t count = in.u16();
  in.skip(1);
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
    Json service = read_service(in, is_server);
    if (!in.ok()) break;
    if (service["service"] == "encryption") result.encryption = chosen_of(service);
    if (service["service"] == "integrity") result.integrity = chosen_of(service);
    result.fields["services"].push_back(std::move(service));
  }
  if (in.ok()) return result;
  result.is_readable = false;
  result.fields = undecoded("native services negotiation that ends early", payload);
  return result;
}

}  // namespace wherry::oracle::trace
