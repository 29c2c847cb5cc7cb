#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace wherry::net {
namespace {

Error file_error(const std::string& file, const std::string& why) {
  return make_error(ErrorKind::kConfig, "net.tls_files",
                    "The wallet or certificate file " + file + " cannot be used: " + why,
                    "Give a PEM file with the trusted certificates; auto-login wallets "
                    "(cwallet.sso) and ewallet.p12 must be converted with openssl or orapki");
}

int give_password(char* buffer, int size, int /*writing*/, void* secret) {
  const std::string_view password = static_cast<const Secret*>(secret)->reveal();
  if (password.size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(buffer, password.data(), password.size());
  return static_cast<int>(password.size());
}

Result<void> load_client_key(SSL_CTX* context, const TlsOptions& options) {
  Secret password = options.key_password;
  SSL_CTX_set_default_passwd_cb(context, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context, &password);
  const bool loaded =
      SSL_CTX_use_certificate_chain_file(context, options.pem_file.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context, options.pem_file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  if (!loaded) return file_error(options.pem_file, tls_error_text());
  return {};
}

Result<void> load_files(SSL_CTX* context, const TlsOptions& options) {
  if (options.pem_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  std::ifstream file(options.pem_file);
  if (!file) return file_error(options.pem_file, std::strerror(errno));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  if (SSL_CTX_load_verify_locations(context, options.pem_file.c_str(), nullptr) != 1) {
    return file_error(options.pem_file, tls_error_text());
  }
  if (text.find("PRIVATE KEY-----") == text.npos) return {};
  return load_client_key(context, options);
}

std::string text_of(const ASN1_STRING* value) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) return {};
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

void read_subject(X509_NAME* name, PeerCertificate& peer) {
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    const char* key = nid == NID_undef ? "?" : OBJ_nid2sn(nid);
    peer.subject.emplace_back(key, text_of(X509_NAME_ENTRY_get_data(entry)));
    if (!peer.subject_text.empty()) peer.subject_text += ',';
    peer.subject_text += peer.subject.back().first + "=" + peer.subject.back().second;
  }
}

void read_dns_names(const X509* certificate, PeerCertificate& peer) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS) peer.dns_names.push_back(text_of(name->d.dNSName));
  }
  GENERAL_NAMES_free(names);
}

}  // namespace

void SslContextDeleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}
void TlsSessionDeleter::operator()(ssl_st* session) const {
  SSL_free(session);
}

std::string tls_error_text() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    char buffer[256];
    ERR_error_string_n(code, buffer, sizeof buffer);
    if (!text.empty()) text += "; ";
    text += buffer;
  }
  return text.empty() ? "unknown TLS error" : text;
}

Result<TlsContext> TlsContext::make(const TlsOptions& options) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SslContextDeleter());
  WHERRY_ASSERT(context != nullptr, "OpenSSL has no TLS client");
  SSL_CTX_set_min_proto_version(
      context.get(), options.version == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(
      context.get(), options.version == TlsVersion::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Servers close the TCP connection without a TLS goodbye; our protocol has its own.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  WHERRY_TRY(load_files(context.get(), options));
  return TlsContext(std::move(context));
}

PeerCertificate describe_peer(ssl_st* session) {
  PeerCertificate peer;
  X509* certificate = SSL_get1_peer_certificate(session);
  if (certificate == nullptr) return peer;
  read_subject(X509_get_subject_name(certificate), peer);
  read_dns_names(certificate, peer);
  X509_free(certificate);
  return peer;
}

}  // namespace wherry::net
