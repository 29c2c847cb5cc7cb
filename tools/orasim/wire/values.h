// Oracle's scalar type encodings, both directions. Values are written straight into the send
// buffer: no allocation a value. Pure.
#pragma once

#include <cstdint>

#include "engine/value.h"
#include "wire/bytes.h"
#include "wire/request.h"

namespace orasim::wire {

/// How one column, bind or define is put on the wire.
enum class Codec : std::uint8_t {
  kNothing,  ///< described with length 0: no bytes in a row
  kText,
  kNationalText,
  kNumber,
  kDate,
  kTimestamp,
  kTimestampTz,
  kTimestampTzLocal,  ///< the fields in the zone's own clock
  kRaw,
  kBinaryFloat,
  kBinaryDouble,
  kIntervalYm,
  kIntervalDs,
  kRowid,
  kUrowid,
  kBoolean,
  kDocument,        ///< JSON, VECTOR: sizes, image, locator: written by RowEncoder
  kObject,          ///< ids and image: written by RowEncoder
  kCursor,          ///< length, describe, cursor id: written by RowEncoder
  kLocator,         ///< length and locator
  kLocatorAndSize,  ///< length, LOB size, chunk size, [data], locator
};

/// Writes one value without the trailing fields of LONG and out binds. Throws OraError(932) when
/// the value cannot take that form. kLocator forms are written by RowEncoder.
void encode_value(Writer&, Codec, const Value&);

/// A bind of a scalar type as the engine's value; NULL keeps the type. Throws OraError for a type
/// or content that no server would take. LOB, cursor and array binds are the caller's.
Value decode_value(const TypeSpec&, const BindValue&);
/// Engine type of a bind; OraError(932) for what the simulator has no values for.
Type bind_type(const TypeSpec&);
/// How an out bind or returning bind of this metadata is written.
Codec bind_codec(const TypeSpec&);

}  // namespace orasim::wire
