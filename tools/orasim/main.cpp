// orasim: an Oracle database simulator for tests. Parses the command line, opens the database, runs
// the scripts and serves until SIGTERM or SIGINT.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/charset.h"
#include "engine/error.h"
#include "engine/session.h"
#include "server/server.h"

namespace {

using orasim::server::ServerOptions;

const std::map<std::string, orasim::wire::Verifier> kVerifiers{
    {"12c", orasim::wire::Verifier::k12c},
    {"11g", orasim::wire::Verifier::k11g},
    {"11g-plain", orasim::wire::Verifier::k11gPlain}};

const std::map<std::string, orasim::wire::AnoLevel> kAnoLevels{
    {"rejected", orasim::wire::AnoLevel::kRejected},
    {"accepted", orasim::wire::AnoLevel::kAccepted},
    {"requested", orasim::wire::AnoLevel::kRequested},
    {"required", orasim::wire::AnoLevel::kRequired}};

struct Arguments {
  std::string listen = "127.0.0.1:1521";
  std::string emulate = "19";
  std::string verifier;
  std::vector<std::string> users;
  std::vector<std::string> proxies;
  std::string data_dir;
  bool extended_strings = true;
  std::vector<std::string> scripts;
  ServerOptions server;
};

void declare_native_services(CLI::App& app, orasim::wire::AnoPolicy& ano) {
  const auto level = [&app](const char* name, orasim::wire::AnoLevel& to, const char* what) {
    app.add_option_function<std::string>(
           name, [&to](const std::string& word) { to = kAnoLevels.at(word); }, what)
        ->check(CLI::IsMember(kAnoLevels));
  };
  level("--encryption", ano.encryption.level, "native network encryption; accepted by default");
  level("--checksum", ano.integrity.level, "native network integrity; accepted by default");
  app.add_option_function<std::string>(
      "--encryption-types",
      [&ano](const std::string& names) {
        ano.encryption.algorithms = orasim::wire::cipher_ids(names);
      },
      "ciphers in order of preference: AES256,AES192,AES128");
  app.add_option_function<std::string>(
      "--checksum-types",
      [&ano](const std::string& names) {
        ano.integrity.algorithms = orasim::wire::checksum_ids(names);
      },
      "checksums in order of preference: SHA256,SHA512,SHA384,SHA1");
}

CLI::Validator known_generation() {
  std::string names;
  for (const orasim::server::Generation& one : orasim::server::generations()) {
    names += (names.empty() ? "" : "|") + std::string(one.name);
  }
  const auto check = [names](const std::string& name) {
    return orasim::server::find_generation(name) != nullptr ? std::string()
                                                            : name + " is none of " + names;
  };
  return CLI::Validator(check, names);
}

void declare(CLI::App& app, Arguments& arguments) {
  ServerOptions& server = arguments.server;
  app.add_option("--listen", arguments.listen, "HOST:PORT; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--service", server.service, "service name clients ask for")->required();
  app.add_option("--root-service", server.root_service,
                 "makes the database a pluggable one, called like its service: the service of its "
                 "root, for users named C##…");
  app.add_option("--user", arguments.users, "NAME/PASSWORD of an account; repeatable");
  app.add_option("--data", arguments.data_dir, "directory that keeps the data; none: memory only");
  app.add_option("--emulate", arguments.emulate, "server generation")
      ->check(known_generation())
      ->capture_default_str();
  app.add_flag("!--standard-strings", arguments.extended_strings,
               "MAX_STRING_SIZE = STANDARD: VARCHAR2 up to 4000 bytes and RAW up to 2000");
  app.add_option_function<std::string>(
         "--character-set", [](const std::string& name) { orasim::set_database_charset(name); },
         "of the database, AL32UTF8 by default")
      ->check(CLI::IsMember(orasim::charset_names()));
  app.add_option("--script", arguments.scripts,
                 "SQL script run as the first --user before serving; repeatable")
      ->check(CLI::ExistingFile);
  auto* certificate =
      app.add_option("--tls-cert", server.tls_certificate, "PEM certificate chain: serve tcps");
  auto* key = app.add_option("--tls-key", server.tls_key, "PEM key of --tls-cert");
  app.add_option("--tls-client-trust", server.tls_client_trust,
                 "PEM certificates; clients must show one of them or one they signed")
      ->needs(certificate);
  certificate->needs(key);
  key->needs(certificate);

  app.add_option("--proxy", arguments.proxies,
                 "PROXY/CLIENT: the user PROXY may connect as CLIENT; repeatable");
  declare_native_services(app, server.ano);

  constexpr const char* kTest = "Behaviour of other servers and networks";
  app.add_option("--sdu", server.max_sdu, "largest session data unit accepted")
      ->check(CLI::Range(512, 2097152))
      ->group(kTest);
  app.add_option("--verifier", arguments.verifier,
                 "password verifier, else the generation's own; 11g-plain mixes keys by MD5 as "
                 "servers before 12.1 do")
      ->check(CLI::IsMember(kVerifiers))
      ->group(kTest);
  app.add_flag("--resend", server.resend,
               "ask for the CONNECT again; with TLS after a second handshake")
      ->group(kTest);
  app.add_flag("--redirect", server.redirect, "send every client on to a second port")
      ->group(kTest);
  app.add_flag("--marker-errors", server.marker_errors,
               "report errors through break and reset markers")
      ->group(kTest);
  app.add_flag("--local-zones", server.local_zones,
               "send TIMESTAMP WITH TIME ZONE in its zone's own clock")
      ->group(kTest);
  app.add_flag("--separate-refuse", server.separate_refuse,
               "send the text of a REFUSE in a packet of its own")
      ->group(kTest);
  app.add_option("--packet-payload", server.packet_payload,
                 "cut DATA packets to so many payload bytes")
      ->check(CLI::Range(1, 2097142))
      ->group(kTest);
}

void split_listen(Arguments& arguments) {
  const std::size_t colon = arguments.listen.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    throw std::runtime_error("--listen " + arguments.listen + ": expected HOST:PORT");
  }
  std::string host = arguments.listen.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const std::string port = arguments.listen.substr(colon + 1);
  char* end = nullptr;
  const unsigned long number = std::strtoul(port.c_str(), &end, 10);
  if (port.empty() || *end != '\0' || number > 65535) {
    throw std::runtime_error("--listen " + arguments.listen + ": the port must be 0 to 65535");
  }
  arguments.server.host = host;
  arguments.server.port = static_cast<std::uint16_t>(number);
}

orasim::DatabaseOptions database_options(const Arguments& arguments) {
  orasim::DatabaseOptions options;
  options.data_dir = arguments.data_dir;
  options.service_name = arguments.server.service;
  options.root_service = arguments.server.root_service;
  options.extended_strings = arguments.extended_strings;
  options.version = arguments.server.generation->version;
  options.emulate = arguments.server.generation->engine;
  return options;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

void allow_proxies(Arguments& arguments) {
  for (const std::string& pair : arguments.proxies) {
    const std::size_t slash = pair.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == pair.size()) {
      throw std::runtime_error("--proxy: expected PROXY/CLIENT");
    }
    arguments.server.proxies.emplace(upper(pair.substr(0, slash)), upper(pair.substr(slash + 1)));
  }
}

/// Creates the accounts; returns the first one's name.
std::string ensure_users(orasim::Database& database, const std::vector<std::string>& users) {
  std::string first;
  for (const std::string& user : users) {
    const std::size_t slash = user.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == user.size()) {
      throw std::runtime_error("--user: expected NAME/PASSWORD");
    }
    const std::string name = upper(user.substr(0, slash));
    database.ensure_user(name, user.substr(slash + 1));
    if (first.empty()) first = name;
  }
  return first;
}

void run_script(orasim::Session& session, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error(file + ": cannot be read");
  std::size_t number = 0;
  for (const std::string& statement : orasim::split_script(text.str())) {
    ++number;
    try {
      session.prepare(orasim::as_stored(statement))->execute({}, {});
    } catch (const orasim::OraError& error) {
      const std::string first_line = statement.substr(0, statement.find('\n')).substr(0, 100);
      throw std::runtime_error(file + ": statement " + std::to_string(number) + " (" + first_line +
                               "): " + error.what());
    }
  }
  session.commit();
}

void run_scripts(orasim::Database& database, const std::string& user,
                 const std::vector<std::string>& scripts) {
  if (scripts.empty()) return;
  if (user.empty()) throw std::runtime_error("--script needs a --user to run as");
  orasim::SessionIdentity identity;
  identity.user = user;
  identity.program = "orasim";
  const auto session = database.connect(std::move(identity));
  for (const std::string& script : scripts) run_script(*session, script);
}

int serve(Arguments& arguments) {
  arguments.server.generation = orasim::server::find_generation(arguments.emulate);
  if (!arguments.verifier.empty()) arguments.server.verifier = kVerifiers.at(arguments.verifier);
  split_listen(arguments);
  allow_proxies(arguments);
  // Blocked before the first thread starts, so that only the wait below takes them.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  const auto database = orasim::Database::open(database_options(arguments));
  const std::string first = ensure_users(*database, arguments.users);
  run_scripts(*database, first, arguments.scripts);
  const orasim::server::Server server(arguments.server, *database);
  const bool v6 = arguments.server.host.find(':') != std::string::npos;
  std::printf("ready %s%s%s:%u\n", v6 ? "[" : "", arguments.server.host.c_str(), v6 ? "]" : "",
              server.port());
  std::fflush(stdout);
  int received = 0;
  sigwait(&stop, &received);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Oracle database simulator for tests", "orasim");
  Arguments arguments;
  declare(app, arguments);
  CLI11_PARSE(app, argc, argv);
  try {
    return serve(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "orasim: %s\n", error.what());
    return 1;
  }
}
