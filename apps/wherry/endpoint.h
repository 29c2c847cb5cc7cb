// An endpoint from its URL, or from a DMS endpoint document.
#pragma once

#include <string>

#include "connect/api/connector.h"
#include "control/task.h"

namespace wherry::app {

struct EndpointFlags {
  std::string side;  ///< "source" or "target": for messages and WHERRY_SOURCE_PASSWORD
  std::string url;
  std::string document_file;
  std::string password_file;
};

/// Password: WHERRY_<SIDE>_PASSWORD, else the password file, else the document, else the URL (which
/// is warned about). kConfig when neither or both of URL and document are given.
Result<control::Endpoint> make_endpoint(const EndpointFlags& flags,
                                        const connect::Registry& connectors, const Logger& log);

}  // namespace wherry::app
