// Calls with clauses inside their parentheses (JSON_VALUE … RETURNING), keywords as arguments
// (TO_VECTOR), and methods behind a value (XMLTYPE(…).getClobVal()).
#include "exec/errors.h"
#include "exec/parser.h"
#include "exec/types.h"

namespace orasim {

using ast::ExprKind;
using ast::ExprPtr;

/// VARCHAR2 may stand without a length here.
DataType Parser::returning_type() {
  for (const std::string_view word : {"VARCHAR2", "NVARCHAR2"}) {
    if (!is_word(word) || is_symbol("(", 1)) continue;
    const bool national = take().text == "NVARCHAR2";
    return text_type(Type::kVarchar2, national ? 2000 : 4000, false, national);
  }
  return data_type();
}

void Parser::document_clauses(ast::Expr& call, DataType& returning) {
  std::string& name = call.name.back().text;
  while (!is_symbol(")")) {
    if (accept("RETURNING")) {
      returning = returning_type();
    } else if (accept("PRETTY")) {
      ExprPtr yes = make(ExprKind::kLiteral, peek().begin);
      yes->value = make_text("PRETTY");
      call.args.push_back(std::move(yes));
    } else if (is_word("ERROR") && is_word("ON", 1) && is_word("ERROR", 2)) {
      for (int i = 0; i < 3; ++i) take();
      if (name == "JSON_VALUE") name += " ERROR";
    } else if (accept_words({"FORMAT", "JSON"}) || accept("ASCII") || accept("ORDERED") ||
               accept("TRUNCATE") || accept_words({"WITHOUT", "WRAPPER"}) ||
               accept_words({"WITHOUT", "ARRAY", "WRAPPER"}) ||
               accept_words({"NULL", "ON", "ERROR"}) || accept_words({"NULL", "ON", "EMPTY"}) ||
               accept_words({"FALSE", "ON", "ERROR"})) {
      continue;
    } else {
      fail(907);
    }
  }
}

/// JSON_VALUE (x, path RETURNING type … ON ERROR), JSON_SERIALIZE (x RETURNING type), FROM_VECTOR.
ExprPtr Parser::document_call() {
  const int begin = peek().begin;
  ExprPtr call = make(ExprKind::kCall, begin);
  std::string name = take().text;
  if (name == "VECTOR_SERIALIZE") name = "FROM_VECTOR";
  call->name.push_back({name, false, begin});
  expect_symbol("(", 906);
  call->args.push_back(expression());
  if (accept("FORMAT")) expect("JSON");
  while (accept_symbol(",")) call->args.push_back(expression());
  DataType returning;
  returning.type = Type::kCursor;  // none
  document_clauses(*call, returning);
  expect_symbol(")", 907);
  call->end = last_end();
  if (returning.type == Type::kCursor) return call;
  const bool serializes = name == "JSON_SERIALIZE" || name == "FROM_VECTOR";
  if (serializes && returning.type == Type::kClob) {
    call->name.back().text += " CLOB";
    return call;
  }
  if (name == "JSON_SERIALIZE" && returning.type == Type::kBlob) {
    call->name.back().text += " BLOB";
    return call;
  }
  if (name == "JSON_QUERY" && returning.type == Type::kJson) {
    call->name.back().text += " JSON";
    return call;
  }
  ExprPtr cast = make(ExprKind::kCast, begin);
  cast->type = returning;
  cast->args.push_back(std::move(call));
  return cast;
}

/// TO_VECTOR (x, dimensions | *, FLOAT32 … | *, DENSE | SPARSE | *), VECTOR_DISTANCE (x, y,
/// metric): keywords become texts.
ExprPtr Parser::vector_call() {
  const int begin = peek().begin;
  const bool distance = take().text == "VECTOR_DISTANCE";
  ExprPtr call = make(ExprKind::kCall, begin);
  call->name.push_back({distance ? "VECTOR_DISTANCE" : "TO_VECTOR", false, begin});
  expect_symbol("(", 906);
  call->args.push_back(expression());
  while (accept_symbol(",")) {
    const bool is_end = is_symbol(",", 1) || is_symbol(")", 1);
    if (accept_symbol("*")) {
      call->args.push_back(make(ExprKind::kLiteral, begin));
    } else if (peek().kind == TokenKind::kWord && is_end && call->args.size() >= 2) {
      ExprPtr word = make(ExprKind::kLiteral, peek().begin);
      word->value = make_text(take().text);
      call->args.push_back(std::move(word));
    } else {
      call->args.push_back(expression());
    }
  }
  expect_symbol(")", 907);
  call->end = last_end();
  return call;
}

ExprPtr Parser::wrapped(const char* function, ExprPtr inner) {
  ExprPtr call = make(ExprKind::kCall, inner->begin);
  call->name.push_back({function, false, inner->begin});
  call->args.push_back(std::move(inner));
  return call;
}

/// A value of JSON_OBJECT or JSON_ARRAY; what is JSON already is no string.
ExprPtr Parser::json_item() {
  ExprPtr item = expression();
  const bool generated =
      item->kind == ExprKind::kCall && (item->name.back().text.starts_with("JSON_OBJECT") ||
                                        item->name.back().text.starts_with("JSON_ARRAY") ||
                                        item->name.back().text.starts_with("JSON_QUERY"));
  const bool is_json = accept_words({"FORMAT", "JSON"}) || generated;
  return is_json ? wrapped("JSON PARSED", std::move(item)) : std::move(item);
}

/// JSON_OBJECT (KEY k VALUE v, … NULL ON NULL RETURNING type), JSON_ARRAY (v, …). The first
/// argument of the call is not NULL when NULLs are left out.
ExprPtr Parser::json_generator() {
  const int begin = peek().begin;
  const std::string name = take().text;
  const bool object = name == "JSON_OBJECT";
  ExprPtr call = make(ExprKind::kCall, begin);
  call->name.push_back({name, false, begin});
  expect_symbol("(", 906);
  bool absent = !object;
  DataType returning;
  returning.type = Type::kVarchar2;
  call->args.push_back(make(ExprKind::kLiteral, begin));
  const auto ends = [this] {
    return is_symbol(")") || is_word("RETURNING") || (is_word("NULL") && is_word("ON", 1)) ||
           (is_word("ABSENT") && is_word("ON", 1));
  };
  while (!ends()) {
    if (object) {
      accept("KEY");
      call->args.push_back(expression());
      if (!accept("VALUE")) expect("IS", 907);
    }
    call->args.push_back(json_item());
    if (!accept_symbol(",")) break;
  }
  while (!is_symbol(")")) {
    if (accept_words({"ABSENT", "ON", "NULL"})) {
      absent = true;
    } else if (accept_words({"NULL", "ON", "NULL"})) {
      absent = false;
    } else if (accept("RETURNING")) {
      returning = returning_type();
    } else {
      fail(907);
    }
  }
  expect_symbol(")", 907);
  call->args.front()->value = absent ? make_int(1) : make_null(Type::kNumber);
  if (returning.type == Type::kClob) call->name.back().text += " CLOB";
  if (returning.type == Type::kJson) call->name.back().text += " JSON";
  call->end = last_end();
  return call;
}

/// XMLPARSE (CONTENT | DOCUMENT x WELLFORMED).
ExprPtr Parser::xmlparse_call() {
  take();
  expect_symbol("(", 906);
  if (!accept("CONTENT")) expect("DOCUMENT");
  ExprPtr call = wrapped("XMLTYPE", expression());
  accept("WELLFORMED");
  expect_symbol(")", 907);
  call->end = last_end();
  return method_calls(std::move(call));
}

ExprPtr Parser::method_calls(ExprPtr e) {
  while (is_symbol(".") && peek(1).kind == TokenKind::kWord && is_symbol("(", 2)) {
    take();
    const Token& method = take();
    ExprPtr call = make(ExprKind::kCall, e->begin);
    call->name.push_back({"XMLTYPE " + method.text, false, method.begin});
    call->args.push_back(std::move(e));
    expect_symbol("(", 906);
    while (!is_symbol(")")) {
      call->args.push_back(expression());
      if (!accept_symbol(",")) break;
    }
    expect_symbol(")", 907);
    call->end = last_end();
    e = std::move(call);
  }
  return e;
}

}  // namespace orasim
