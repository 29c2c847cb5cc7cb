#include "connect/oracle/https_proxy.h"

#include <algorithm>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle {
namespace {

constexpr std::size_t kMaxProxyAnswerBytes = 16 * 1024;

Error refused_by_proxy(const std::string& status_line) {
  Error error = make_error(ErrorKind::kTransient, "oracle.https_proxy",
                           "The HTTPS proxy does not open a way to the server",
                           "Check https_proxy and https_proxy_port, and that the proxy allows the "
                           "server's host and port");
  error.native_text = status_line;
  return error;
}

/// "HTTP/1.1 200 Connection established".
bool opens_the_way(const std::string& status_line) {
  const std::size_t space = status_line.find(' ');
  return status_line.starts_with("HTTP/") && space != status_line.npos &&
         status_line.substr(space + 1, 3) == "200";
}

}  // namespace

Result<void> open_tunnel(net::Stream& stream, const std::string& host, std::uint16_t port,
                         const net::Wait& wait) {
  const bool is_v6 = host.find(':') != host.npos;
  const std::string place = (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  const std::string request = "CONNECT " + place + " HTTP/1.0\r\n\r\n";
  WHERRY_TRY(stream.write_all(wire::bytes_of(request), wait));
  // Nothing follows the answer before the client speaks, so reading on cannot swallow anything.
  std::string answer;
  while (answer.find("\r\n\r\n") == answer.npos) {
    std::uint8_t buffer[1024];
    WHERRY_ASSIGN(const std::size_t got, stream.read_some(buffer, wait));
    answer.append(reinterpret_cast<const char*>(buffer), got);
    if (answer.size() > kMaxProxyAnswerBytes) return refused_by_proxy("an answer without end");
  }
  std::string status_line = answer.substr(0, answer.find("\r\n"));
  if (!opens_the_way(status_line)) return refused_by_proxy(status_line);
  return {};
}

}  // namespace wherry::oracle
