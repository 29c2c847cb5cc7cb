// Decoders of columns whose values are more than one byte string: row addresses, LOBs, documents,
// XML. Facts: reference oracle-wire-types, 6.8 and 6.11 to 6.16.
#pragma once

#include "connect/oracle/wire/column_decoder.h"

namespace wherry::oracle::wire {

ValueStatus decode_rowid(ByteCursor& in, DecodeContext& context, Cell& out);
ValueStatus decode_urowid(ByteCursor& in, DecodeContext& context, Cell& out);
/// CLOB and NCLOB as kText, BLOB and the content of BFILE as kBytes.
DecodeValue lob_decoder(CellKind kind, LobForm form);
ValueStatus decode_bfile_name(ByteCursor& in, DecodeContext& context, Cell& out);
ValueStatus decode_json(ByteCursor& in, DecodeContext& context, Cell& out);
ValueStatus decode_vector(ByteCursor& in, DecodeContext& context, Cell& out);
/// The text itself, or the locator of a CLOB.
ValueStatus decode_xml(ByteCursor& in, DecodeContext& context, Cell& out);

}  // namespace wherry::oracle::wire
