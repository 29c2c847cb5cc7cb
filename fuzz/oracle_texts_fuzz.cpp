// Texts that say where a server is and how to reach it: URLs, connect strings, descriptors,
// redirects, tnsnames.ora, sqlnet.ora, wallets, names of certificates. Any text is read or refused.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "connect/api/url.h"
#include "connect/oracle/certificate_name.h"
#include "connect/oracle/connect_string.h"
#include "connect/oracle/settings.h"
#include "connect/oracle/sqlnet.h"
#include "connect/oracle/tnsnames.h"
#include "connect/oracle/wire/tns.h"
#include "input.h"
#include "net/tls.h"

namespace oracle = wherry::oracle;
namespace wire = wherry::oracle::wire;
using wherry::fuzz::Input;
using wherry::fuzz::require;

namespace {

/// A directory of this process; files in it are written anew for every input.
struct Directory {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("oracle_texts_fuzz." + std::to_string(::getpid()));
  Directory() { std::filesystem::create_directories(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

const std::filesystem::path& directory() {
  static const Directory own;
  return own.path;
}

std::string write_file(const char* name, std::string_view text) {
  const std::filesystem::path path = directory() / name;
  std::ofstream(path, std::ios::binary).write(text.data(), static_cast<long>(text.size()));
  return path.string();
}

void fuzz_url(Input& input) {
  wherry::connect::Settings settings;
  settings.url = input.text();
  (void)oracle::endpoint_options(settings);
  const auto url = wherry::connect::parse_url(settings.url);
  if (!url) return;
  // What may be logged parses again, without a password.
  const auto again = wherry::connect::parse_url(url->text);
  if (url->has_password && again) require(!again->has_password);
}

/// Every way in which a parsed target is used has an end and no surprise.
void use_target(const oracle::ConnectTarget& target) {
  std::size_t passes = 0;
  for (const auto& description : target.descriptions) passes += description.retry_count;
  if (passes > 100) return;
  for (const auto& attempt : order_attempts(target, [](std::size_t n) { return n - 1; })) {
    const oracle::ClientId id{"program", "machine", "user", "aWQ="};
    const std::string text = connect_data_text(*attempt.description, attempt.address, id);
    require(text.starts_with("(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp"));
    require(sni_name(*attempt.description).size() <= 256);
  }
}

void fuzz_connect_string(Input& input) {
  const std::string text(input.text());
  wherry::connect::Settings settings;
  settings.url = "oracle://user@host/service";
  settings.options["connect_string"] = text;
  (void)oracle::endpoint_options(settings);
  if (auto target = oracle::parse_connect_string(text); target.ok()) use_target(*target);
}

void fuzz_redirect(Input& input) {
  const std::uint8_t flags = input.byte();
  const wire::RedirectTarget target = wire::parse_redirect(input.text(), flags);
  auto address = oracle::parse_redirect_address(target.address, oracle::Protocol::kTcp);
  if (address.ok()) require(!address->host.empty());
  (void)wire::refuse_code(input.text());
}

void fuzz_names_file(Input& input) {
  const std::string path = write_file("tnsnames.ora", input.text());
  const auto names = oracle::read_tnsnames(path);
  require(names.ok());
  for (const auto& [name, value] : names->entries) {
    (void)oracle::resolve_connect_string(name, directory().string());
  }
}

void fuzz_sqlnet(Input& input) {
  write_file("sqlnet.ora", input.text());
  const auto settings = oracle::read_sqlnet(directory().string());
  std::filesystem::remove(directory() / "sqlnet.ora");
  if (!settings.ok()) return;
  // What the file says is good for a connect string that says nothing.
  require(oracle::parse_connect_string("host/service", settings->description).ok());
  (void)settings->looks_up("TNSNAMES");
}

void fuzz_wallet(Input& input) {
  wherry::net::TlsOptions options;
  options.key_password = wherry::Secret("secret");
  options.pem_file = write_file("ewallet.pem", input.text());
  (void)wherry::net::TlsContext::make(options);
}

void fuzz_certificate_name(Input& input) {
  wherry::net::PeerCertificate peer;
  const auto line = [&] {
    const auto bytes = input.take(input.byte());
    return std::string(wire::text_of(bytes));
  };
  peer.subject = {{"CN", line()}, {"O", line()}};
  peer.dns_names = {line()};
  const std::string hosts[] = {line()};
  (void)oracle::has_host_name(peer, hosts);
  (void)oracle::has_subject(peer, input.text());
}

constexpr wherry::fuzz::Part kParts[] = {
    fuzz_url,    fuzz_connect_string,   fuzz_redirect, fuzz_names_file,
    fuzz_wallet, fuzz_certificate_name, fuzz_sqlnet};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return wherry::fuzz::run_part(kParts, data, size);
}
