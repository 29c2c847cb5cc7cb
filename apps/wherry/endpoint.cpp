#include "endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "connect/api/url.h"
#include "flags.h"

namespace wherry::app {
namespace {

using Json = nlohmann::json;

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

Error bad_document(const EndpointFlags& flags, const std::string& what) {
  return make_error(ErrorKind::kConfig, "endpoint.document",
                    "the " + flags.side + " endpoint document cannot be used: " + what,
                    "Write a DMS endpoint in JSON: EngineName, ServerName, Port, DatabaseName, "
                    "Username, Password")
      .with("file", flags.document_file);
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
                       c == '.' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

/// Settings objects ("OracleSettings", …) and extra connection attributes ("a=b;c=d") become
/// options.
void add_options(const Json& document, connect::Settings& settings) {
  for (const auto& [key, value] : document.items()) {
    if (!value.is_object() || key.find("Settings") == std::string::npos) continue;
    for (const auto& [name, option] : value.items()) {
      settings.options[name] = option.is_string() ? option.get<std::string>() : option.dump();
    }
  }
  std::string attributes = document.value("ExtraConnectionAttributes", "");
  while (!attributes.empty()) {
    const std::size_t end = std::min(attributes.find(';'), attributes.size());
    const std::string one = attributes.substr(0, end);
    attributes.erase(0, end + 1);
    const std::size_t equals = one.find('=');
    if (equals != std::string::npos)
      settings.options[one.substr(0, equals)] = one.substr(equals + 1);
  }
}

std::string scheme_of(const std::string& engine) {
  return engine == "postgres" || engine == "aurora-postgresql" ? "postgresql" : engine;
}

Result<connect::Settings> from_document(const EndpointFlags& flags, std::string& scheme) {
  WHERRY_ASSIGN(const std::string text, read_file(flags.document_file));
  connect::Settings settings;
  try {
    const Json document = Json::parse(text);
    scheme = scheme_of(document.at("EngineName").get<std::string>());
    settings.user = document.value("Username", "");
    settings.password = Secret(document.value("Password", ""));
    const std::string server = document.at("ServerName").get<std::string>();
    const std::string database = document.value("DatabaseName", "");
    const int port = document.value("Port", 0);
    add_options(document, settings);
    if (!server.empty() && server[0] == '(') settings.options["connect_string"] = server;
    settings.url =
        fmt::format("{}://{}@{}{}/{}", scheme, percent_encoded(settings.user), server,
                    port == 0 ? "" : fmt::format(":{}", port), percent_encoded(database));
  } catch (const Json::exception& failure) {
    return bad_document(flags, failure.what());
  }
  return settings;
}

Result<connect::Settings> from_url(const EndpointFlags& flags, const Logger& log,
                                   std::string& scheme) {
  auto url = connect::parse_url(flags.url);
  if (!url.ok()) return std::move(url).error().with("flag", "--" + flags.side);
  scheme = url->scheme;
  if (url->has_password) {
    log.as(Component::kTaskManager)
        .warn(
            "a password in a URL can be seen in the list of processes; use the environment or a "
            "password file",
            {{"endpoint", flags.side}});
  }
  connect::Settings settings;
  settings.url = url->text;
  settings.user = url->user;
  settings.password = url->password;
  settings.options = url->parameters;
  return settings;
}

Result<void> set_password(const EndpointFlags& flags, connect::Settings& settings) {
  const std::string variable = "WHERRY_" + upper(flags.side) + "_PASSWORD";
  if (const char* value = std::getenv(variable.c_str()); value != nullptr && *value != '\0') {
    settings.password = Secret(value);
    return {};
  }
  if (flags.password_file.empty()) return {};
  WHERRY_ASSIGN(std::string text, read_file(flags.password_file));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  settings.password = Secret(std::move(text));
  return {};
}

}  // namespace

Result<control::Endpoint> make_endpoint(const EndpointFlags& flags,
                                        const connect::Registry& connectors, const Logger& log) {
  if (flags.url.empty() == flags.document_file.empty()) {
    return make_error(ErrorKind::kConfig, "flags.endpoint",
                      fmt::format("{} of --{} and --{}-endpoint is needed",
                                  flags.url.empty() ? "one" : "only one", flags.side, flags.side),
                      fmt::format("For example: --{} {}", flags.side,
                                  flags.side == "source" ? "oracle://user@host:1521/service"
                                                         : "postgresql://user@host:5432/database"));
  }
  std::string scheme;
  auto settings = flags.url.empty() ? from_document(flags, scheme) : from_url(flags, log, scheme);
  if (!settings.ok()) return std::move(settings).error();
  WHERRY_TRY(set_password(flags, *settings));
  auto connector = connectors.find(scheme);
  if (!connector.ok()) return std::move(connector).error().with("flag", "--" + flags.side);
  const connect::Role role = flags.side == "source" ? connect::kSource : connect::kTarget;
  if (((*connector)->info().roles & role) == 0) {
    return make_error(ErrorKind::kConfig, "endpoint.role",
                      fmt::format("{} cannot be the {} of a task", scheme, flags.side),
                      "Use an Oracle or PostgreSQL source and a PostgreSQL target");
  }
  return control::Endpoint{*connector, *std::move(settings)};
}

}  // namespace wherry::app
