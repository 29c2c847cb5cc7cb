// A self-signed certificate for tests of TLS, in a directory of its own that goes with it.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace wherry::test {

/// Subject "O=Wherry Test, CN=<first name>". Files: trust.pem (the certificate), key.pem,
/// wallet.pem (both, the key encrypted with "secret").
class Certificate {
 public:
  /// `names`: "DNS:db.test,DNS:*.alt.test", as OpenSSL writes subject alternative names.
  explicit Certificate(const std::string& common_name = "db.test",
                       const std::string& names = "DNS:db.test,DNS:*.alt.test") {
    key_.reset(EVP_RSA_gen(2048));
    certificate_.reset(X509_new());
    X509* const c = certificate_.get();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -60);
    X509_gmtime_adj(X509_getm_notAfter(c), 3600);
    X509_set_pubkey(c, key_.get());
    X509_NAME* const name = X509_get_subject_name(c);
    const auto add = [&](const char* field, const char* value) {
      X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(value), -1, -1, 0);
    };
    add("O", "Wherry Test");
    add("CN", common_name.c_str());
    X509_set_issuer_name(c, name);
    X509_EXTENSION* const alternatives =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(c, alternatives, -1);
    X509_EXTENSION_free(alternatives);
    X509_sign(c, key_.get(), EVP_sha256());
    std::string pattern = std::filesystem::temp_directory_path() / "wherry-tls-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    write("trust.pem", true, false, nullptr);
    write("key.pem", false, true, nullptr);
    write("wallet.pem", true, true, "secret");
  }
  ~Certificate() { std::filesystem::remove_all(directory_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  [[nodiscard]] std::string file(const char* name) const { return directory_ / name; }
  [[nodiscard]] X509* certificate() const { return certificate_.get(); }
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }

 private:
  void write(const char* name, bool with_certificate, bool with_key, const char* password) const {
    FILE* const out = std::fopen(file(name).c_str(), "w");
    if (with_certificate) PEM_write_X509(out, certificate_.get());
    if (with_key) {
      PEM_write_PKCS8PrivateKey(out, key_.get(), password != nullptr ? EVP_aes_128_cbc() : nullptr,
                                nullptr, 0, nullptr, const_cast<char*>(password));
    }
    std::fclose(out);
  }
  struct Free {
    void operator()(X509* p) const { X509_free(p); }
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  };
  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
  std::filesystem::path directory_;
};

}  // namespace wherry::test
