#include "net/stream.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <thread>

#include "tests/support/certificate.h"

namespace wherry::net {
namespace {

using test::Certificate;

/// A loopback listener whose one connection is handled by `handler` on a thread.
class Listener {
 public:
  explicit Listener(std::function<void(int)> handler) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, handler = std::move(handler)] {
      const int peer = accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      handler(peer);
      close(peer);
    });
  }
  ~Listener() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

void wait_for_close(int peer) {
  char byte = 0;
  while (recv(peer, &byte, 1, 0) > 0) {
  }
}

Result<std::unique_ptr<Stream>> dial(std::uint16_t port) {
  return Stream::dial(OpContext(), "127.0.0.1", port);
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Stream, SaysThatNobodyListens) {
  std::uint16_t port = 0;
  {
    port = Listener([](int) {}).port();
  }
  auto stream = dial(port);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().code, "net.refused");
  EXPECT_EQ(stream.error().native_code, "ECONNREFUSED");
  EXPECT_EQ(stream.error().kind, ErrorKind::kTransient);
}

TEST(Stream, SaysThatAHostIsUnknown) {
  auto stream = Stream::dial(OpContext(), "no-such-host.invalid", 1);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().code, "net.resolve");
}

TEST(Stream, CarriesMoreThanTheSocketsHold) {
  const std::string data(8 * 1024 * 1024, 'd');
  Listener echo([](int peer) {
    std::vector<char> buffer(65536);
    while (true) {
      const ssize_t got = recv(peer, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      for (ssize_t at = 0; at < got;) {
        const ssize_t sent =
            send(peer, buffer.data() + at, static_cast<std::size_t>(got - at), MSG_NOSIGNAL);
        if (sent <= 0) return;
        at += sent;
      }
    }
  });
  auto stream = dial(echo.port());
  ASSERT_TRUE(stream.ok());
  std::thread writer([&] { EXPECT_TRUE((*stream)->write_all(bytes_of(data), Wait()).ok()); });
  std::string back;
  std::vector<std::uint8_t> buffer(65536);
  while (back.size() < data.size()) {
    auto got = (*stream)->read_some(buffer, Wait());
    ASSERT_TRUE(got.ok());
    back.append(reinterpret_cast<const char*>(buffer.data()), *got);
  }
  writer.join();
  EXPECT_EQ(back, data);
}

TEST(Stream, ReadsEndAtTheirDeadline) {
  Listener silent(wait_for_close);
  auto stream = dial(silent.port());
  ASSERT_TRUE(stream.ok());
  std::uint8_t byte = 0;
  auto got = (*stream)->read_some({&byte, 1}, Wait::of(OpContext(), std::chrono::milliseconds(50)));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, "net.timeout");
}

TEST(Stream, AStopWakesABlockedReadAndTheStreamStaysUsable) {
  std::stop_source stop;
  Listener server([&](int peer) {
    char byte = 0;
    recv(peer, &byte, 1, 0);
    stop.request_stop();
    recv(peer, &byte, 1, 0);
    send(peer, "x", 1, MSG_NOSIGNAL);
    wait_for_close(peer);
  });
  auto stream = dial(server.port());
  ASSERT_TRUE(stream.ok());
  OpContext context;
  context.stop = stop.get_token();
  ASSERT_TRUE((*stream)->write_all(bytes_of("1"), Wait()).ok());
  std::uint8_t byte = 0;
  auto got = (*stream)->read_some({&byte, 1}, Wait::of(context));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, ErrorKind::kCancelled);
  ASSERT_TRUE((*stream)->write_all(bytes_of("2"), Wait()).ok());
  got = (*stream)->read_some({&byte, 1}, Wait());
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(byte, 'x');
}

TEST(Stream, TellsWhenThePeerCloses) {
  Listener server([](int) {});
  auto stream = dial(server.port());
  ASSERT_TRUE(stream.ok());
  std::uint8_t byte = 0;
  auto got = (*stream)->read_some({&byte, 1}, Wait());
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, "net.closed");
}

/// Two handshakes on one socket, as Oracle's listeners do, then one byte; tells of a client
/// certificate.
void serve_tls(int peer, const Certificate& identity, int handshakes, bool* saw_certificate) {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, identity.certificate());
  SSL_CTX_use_PrivateKey(context, identity.key());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  SSL* session = nullptr;
  for (int i = 0; i < handshakes; ++i) {
    if (session != nullptr) SSL_free(session);
    session = SSL_new(context);
    SSL_set_num_tickets(session, 0);
    SSL_set_fd(session, peer);
    if (SSL_accept(session) != 1) break;
    SSL_write(session, "x", 1);
  }
  if (saw_certificate != nullptr) *saw_certificate = SSL_get0_peer_certificate(session) != nullptr;
  wait_for_close(peer);
  SSL_free(session);
  SSL_CTX_free(context);
}

TlsContext trusting(const std::string& file, const char* password = "") {
  TlsOptions options;
  options.pem_file = file;
  options.key_password = Secret(password);
  auto context = TlsContext::make(options);
  EXPECT_TRUE(context.ok()) << context.error().to_paragraph();
  return std::move(context).value();
}

TEST(Tls, ShakesHandsTwiceOnOneSocketAndShowsTheCertificate) {
  const Certificate identity;
  Listener server([&](int peer) { serve_tls(peer, identity, 2, nullptr); });
  auto stream = dial(server.port());
  ASSERT_TRUE(stream.ok());
  const TlsContext context = trusting(identity.file("trust.pem"));
  for (int i = 0; i < 2; ++i) {
    auto shaken = (*stream)->start_tls(context, "", Wait());
    ASSERT_TRUE(shaken.ok()) << shaken.error().to_paragraph();
    std::uint8_t byte = 0;
    ASSERT_TRUE((*stream)->read_some({&byte, 1}, Wait()).ok());
    EXPECT_EQ(byte, 'x');
  }
  const PeerCertificate peer = (*stream)->peer_certificate();
  EXPECT_EQ(peer.subject_text, "O=Wherry Test,CN=db.test");
  EXPECT_EQ(peer.dns_names, (std::vector<std::string>{"db.test", "*.alt.test"}));
}

TEST(Tls, ShowsTheWalletsOwnCertificate) {
  const Certificate identity;
  bool saw_certificate = false;
  {
    Listener server([&](int peer) { serve_tls(peer, identity, 1, &saw_certificate); });
    auto stream = dial(server.port());
    ASSERT_TRUE(stream.ok());
    const TlsContext context = trusting(identity.file("wallet.pem"), "secret");
    auto shaken = (*stream)->start_tls(context, "", Wait());
    ASSERT_TRUE(shaken.ok()) << shaken.error().to_paragraph();
    std::uint8_t byte = 0;
    ASSERT_TRUE((*stream)->read_some({&byte, 1}, Wait()).ok());
  }
  EXPECT_TRUE(saw_certificate);
}

TEST(Tls, RefusesAServerThatIsNotTrusted) {
  const Certificate identity;
  Listener server([&](int peer) { serve_tls(peer, identity, 1, nullptr); });
  auto stream = dial(server.port());
  ASSERT_TRUE(stream.ok());
  auto context = TlsContext::make({});
  ASSERT_TRUE(context.ok());
  auto shaken = (*stream)->start_tls(*context, "", Wait());
  ASSERT_FALSE(shaken.ok());
  EXPECT_EQ(shaken.error().code, "net.tls");
  EXPECT_NE(shaken.error().native_text.find("certificate verification"), std::string::npos);
}

TEST(Tls, NamesFilesThatCannotBeUsed) {
  TlsOptions options;
  options.pem_file = "/nonexistent/ewallet.pem";
  auto context = TlsContext::make(options);
  ASSERT_FALSE(context.ok());
  EXPECT_EQ(context.error().code, "net.tls_files");
  EXPECT_NE(context.error().message.find("/nonexistent/ewallet.pem"), std::string::npos);
  const Certificate identity;
  options.pem_file = identity.file("wallet.pem");
  options.key_password = Secret("wrong");
  EXPECT_FALSE(TlsContext::make(options).ok());
}

}  // namespace
}  // namespace wherry::net
