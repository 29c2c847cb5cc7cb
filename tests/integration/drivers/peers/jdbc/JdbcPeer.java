// orasim seen by Oracle's JDBC thin driver, unmodified.
//
// usage: JdbcPeer --list | JdbcPeer HOST:PORT SERVICE USER PASSWORD GENERATION
// Prints "ok NAME" or "not ok NAME: REASON" a check; the file beside it starts the servers.
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.BatchUpdateException;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.RowId;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.TimeZone;
import oracle.jdbc.OracleCallableStatement;
import oracle.jdbc.OracleDatabaseException;
import oracle.jdbc.OraclePreparedStatement;
import oracle.jdbc.OracleTypes;

public final class JdbcPeer {
  private interface Check {
    void run() throws Exception;
  }

  private static String address, service, user, password, generation;
  private static Connection connection;

  private static Connection connect(String toService, String as, String with) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", as);
    properties.setProperty("password", with);
    properties.setProperty("oracle.net.CONNECT_TIMEOUT", "20000");
    properties.setProperty("oracle.jdbc.ReadTimeout", "60000");
    return DriverManager.getConnection("jdbc:oracle:thin:@//" + address + "/" + toService,
        properties);
  }

  private static void equal(Object expected, Object found) {
    boolean same = expected instanceof byte[]
        ? Arrays.equals((byte[]) expected, (byte[]) found)
        : Objects.equals(expected, found);
    if (!same) {
      throw new AssertionError("expected " + text(expected) + ", found " + text(found));
    }
  }

  private static String text(Object value) {
    String text = value instanceof byte[] ? Arrays.toString((byte[]) value) : String.valueOf(value);
    return text.length() > 200 ? text.substring(0, 200) + "..." : text;
  }

  private static void isTrue(boolean claim, String what) {
    if (!claim) throw new AssertionError(what);
  }

  private static SQLException refused(int code, Check action) throws Exception {
    try {
      action.run();
    } catch (SQLException error) {
      equal(code, error.getErrorCode());
      return error;
    }
    throw new AssertionError("ORA-" + code + " expected, nothing thrown");
  }

  private static void run(String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) statement.execute(sql);
    }
  }

  private static void withTable(String name, String columns, Check body) throws Exception {
    run("create table " + name + " (" + columns + ")");
    try {
      body.run();
    } finally {
      connection.rollback();
      run("drop table " + name);
    }
  }

  private static Object one(String sql, Object... binds) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < binds.length; i++) statement.setObject(i + 1, binds[i]);
      try (ResultSet rows = statement.executeQuery()) {
        isTrue(rows.next(), "a row is expected");
        return rows.getObject(1);
      }
    }
  }

  private static int count(String table) throws SQLException {
    return ((BigDecimal) one("select count(*) from " + table)).intValue();
  }

  // ---- session

  private static void version() throws Exception {
    DatabaseMetaData meta = connection.getMetaData();
    equal("Oracle", meta.getDatabaseProductName());
    int major = Integer.parseInt(generation.replaceAll("[^0-9].*", ""));
    equal(major == 26 ? 23 : major, meta.getDatabaseMajorVersion());
    isTrue(connection.isValid(10), "the session is valid");
    isTrue(meta.getUserName().equalsIgnoreCase(user), meta.getUserName());
  }

  private static void wrongPassword() throws Exception {
    refused(1017, () -> connect(service, user, "wrong").close());
  }

  private static void unknownUser() throws Exception {
    refused(1017, () -> connect(service, "nobody", password).close());
  }

  private static void unknownService() throws Exception {
    try {
      connect("NOSUCH", user, password).close();
    } catch (SQLException error) {
      isTrue(error.toString().contains("12514"), error.toString());
      return;
    }
    throw new AssertionError("an unknown service was accepted");
  }

  private static void sessionLabels() throws Exception {
    connection.setClientInfo("OCSID.MODULE", "module");
    connection.setClientInfo("OCSID.ACTION", "action");
    equal("1", one("select '1' from dual"));
    equal(user.toUpperCase(), connection.getSchema());
  }

  // ---- queries

  private static void manyRows() throws Exception {
    withTable("big_result", "n number, t varchar2(200), d date", () -> {
      try (PreparedStatement insert =
          connection.prepareStatement("insert into big_result values (?, ?, null)")) {
        for (int n = 0; n < 2500; n++) {
          insert.setInt(1, n);
          insert.setString(2, "repeated " + n / 5);
          insert.addBatch();
        }
        int[] counts = insert.executeBatch();
        equal(2500, counts.length);
      }
      for (int fetchSize : new int[] {1, 7, 100, 5000}) {
        int limit = fetchSize == 1 ? 50 : 2500;
        try (PreparedStatement query = connection.prepareStatement(
            "select n, t, d from big_result where n < ? order by n")) {
          query.setInt(1, limit);
          query.setFetchSize(fetchSize);
          int seen = 0;
          try (ResultSet rows = query.executeQuery()) {
            for (; rows.next(); seen++) {
              equal(seen, rows.getInt(1));
              equal("repeated " + seen / 5, rows.getString(2));
              equal(null, rows.getDate(3));
            }
          }
          equal(limit, seen);
        }
      }
    });
  }

  private static void preparedAgainAndAgain() throws Exception {
    try (PreparedStatement query = connection.prepareStatement("select ? || ? from dual")) {
      for (int n = 0; n < 30; n++) {
        query.setString(1, "n" + n);
        query.setInt(2, n);
        try (ResultSet rows = query.executeQuery()) {
          rows.next();
          equal("n" + n + n, rows.getString(1));
        }
      }
    }
  }

  private static void bindsOfChangingTypes() throws Exception {
    try (PreparedStatement query = connection.prepareStatement("select ?, ? from dual")) {
      Object[][] pairs = {{"a", new BigDecimal("1.5")}, {new BigDecimal("-7"), "x".repeat(4000)},
        {null, "null"}, {"é".repeat(500), new BigDecimal(0)}};
      for (Object[] pair : pairs) {
        query.setObject(1, pair[0]);
        query.setObject(2, pair[1]);
        try (ResultSet rows = query.executeQuery()) {
          rows.next();
          equal(String.valueOf(pair[0]), String.valueOf(rows.getObject(1)));
          equal(String.valueOf(pair[1]), String.valueOf(rows.getObject(2)));
        }
      }
    }
  }

  private static void manyStatements() throws Exception {
    for (int n = 0; n < 350; n++) equal(new BigDecimal(n), one("select " + n + " from dual"));
  }

  private static void columnMetadata() throws Exception {
    withTable("described", "id number(10) not null, price number(8,2), free number, "
        + "t varchar2(10 char), r raw(8), d date, ts timestamp(3), bd binary_double, c clob", () -> {
          try (Statement statement = connection.createStatement();
              ResultSet rows = statement.executeQuery("select * from described")) {
            ResultSetMetaData meta = rows.getMetaData();
            equal(9, meta.getColumnCount());
            equal("ID", meta.getColumnName(1));
            equal(10, meta.getPrecision(1));
            equal(ResultSetMetaData.columnNoNulls, meta.isNullable(1));
            equal(2, meta.getScale(2));
            equal(-127, meta.getScale(3));
            equal(10, meta.getPrecision(4));
            equal("RAW", meta.getColumnTypeName(5));
            equal(Types.TIMESTAMP, meta.getColumnType(6));
            equal(3, meta.getScale(7));
            equal("BINARY_DOUBLE", meta.getColumnTypeName(8));
            equal(Types.CLOB, meta.getColumnType(9));
            isTrue(!rows.next(), "no row");
          }
        });
  }

  private static void errorPosition() throws Exception {
    SQLException error = refused(942, () -> one("select * from no_such_table"));
    isTrue(error.getMessage().contains("ORA-00942"), error.getMessage());
    Throwable cause = error.getCause();
    isTrue(cause instanceof OracleDatabaseException, "the cause tells the position");
    equal(14, ((OracleDatabaseException) cause).getErrorPosition());
    equal("2", one("select '2' from dual"));
  }

  // ---- types

  private static void numbers() throws Exception {
    withTable("numbers", "id number, v number", () -> {
      String[] texts = {"0", "1", "-1", "123.45", "-0.5", "1E+125", "-1E-130", "9".repeat(38),
        "12345678901234567890123456789012345678", "99999.99999"};
      try (PreparedStatement insert =
          connection.prepareStatement("insert into numbers values (?, ?)")) {
        for (int i = 0; i < texts.length; i++) {
          insert.setInt(1, i);
          insert.setBigDecimal(2, new BigDecimal(texts[i]));
          equal(1, insert.executeUpdate());
        }
        insert.setInt(1, texts.length);
        insert.setNull(2, Types.NUMERIC);
        insert.executeUpdate();
      }
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("select v from numbers order by id")) {
        for (String expected : texts) {
          rows.next();
          equal(0, new BigDecimal(expected).compareTo(rows.getBigDecimal(1)));
        }
        rows.next();
        equal(null, rows.getBigDecimal(1));
      }
    });
  }

  private static void scalars() throws Exception {
    String columns = "id number, vc varchar2(4000), ch char(5), nv nvarchar2(100), d date, "
        + "ts timestamp(9), tz timestamp with time zone, lz timestamp with local time zone, "
        + "r raw(2000), bf binary_float, bd binary_double, ym interval year to month, "
        + "ds interval day to second(6)";
    withTable("scalars", columns, () -> {
      String text = "né 🎉".repeat(100);
      byte[] bytes = new byte[256];
      for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) i;
      Timestamp time = Timestamp.valueOf("2026-08-09 12:13:14.123456789");
      OffsetDateTime zoned = OffsetDateTime.of(2026, 8, 9, 14, 43, 14, 500000000,
          ZoneOffset.ofHoursMinutes(2, 30));
      try (PreparedStatement insert = connection.prepareStatement(
          "insert into scalars values (?,?,?,?,?,?,?,?,?,?,?,?,?)")) {
        insert.setInt(1, 1);
        insert.setString(2, text);
        insert.setString(3, "ab");
        insert.setNString(4, "ñ🎉");
        insert.setTimestamp(5, Timestamp.valueOf("1999-12-31 23:59:59"));
        insert.setTimestamp(6, time);
        insert.setObject(7, zoned);
        insert.setTimestamp(8, Timestamp.valueOf("2026-01-02 03:04:05"));
        insert.setBytes(9, bytes);
        ((OraclePreparedStatement) insert).setBinaryFloat(10, 1.5f);
        ((OraclePreparedStatement) insert).setBinaryDouble(11, -2.25e300);
        insert.setObject(12, new oracle.sql.INTERVALYM("-1-2"));
        insert.setObject(13, new oracle.sql.INTERVALDS("3 4:5:6.5"));
        equal(1, insert.executeUpdate());
        insert.setInt(1, 2);
        for (int i = 2; i <= 13; i++) insert.setNull(i, Types.VARCHAR);
        equal(1, insert.executeUpdate());
      }
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("select * from scalars order by id")) {
        rows.next();
        equal(text, rows.getString(2));
        equal("ab   ", rows.getString(3));
        equal("ñ🎉", rows.getNString(4));
        equal(Timestamp.valueOf("1999-12-31 23:59:59"), rows.getTimestamp(5));
        equal(time, rows.getTimestamp(6));
        equal(zoned, rows.getObject(7, OffsetDateTime.class));
        equal(Timestamp.valueOf("2026-01-02 03:04:05"), rows.getTimestamp(8));
        equal(bytes, rows.getBytes(9));
        equal(1.5f, rows.getFloat(10));
        equal(-2.25e300, rows.getDouble(11));
        equal("-1-2", rows.getString(12));
        equal("3 4:5:6.5", rows.getString(13));
        rows.next();
        for (int i = 2; i <= 13; i++) equal(null, rows.getString(i));
        isTrue(!rows.next(), "two rows");
      }
    });
  }

  private static void rowIds() throws Exception {
    withTable("with_ids", "n number", () -> {
      run("insert into with_ids values (7)");
      RowId id = (RowId) one("select rowid from with_ids");
      try (PreparedStatement query =
          connection.prepareStatement("select n from with_ids where rowid = ?")) {
        query.setRowId(1, id);
        try (ResultSet rows = query.executeQuery()) {
          isTrue(rows.next(), "the row is found by its id");
          equal(7, rows.getInt(1));
        }
      }
      equal(18, id.toString().length());
    });
  }

  // ---- changes

  private static void transactions() throws Exception {
    withTable("transacted", "n number", () -> {
      run("insert into transacted values (1)");
      Savepoint mark = connection.setSavepoint("mark");
      run("insert into transacted values (2)");
      connection.rollback(mark);
      equal(1, count("transacted"));
      connection.rollback();
      equal(0, count("transacted"));
      run("insert into transacted values (3)");
      connection.commit();
      connection.setAutoCommit(true);
      run("insert into transacted values (4)");
      connection.setAutoCommit(false);
      connection.rollback();
      equal(2, count("transacted"));
    });
  }

  private static void batches() throws Exception {
    withTable("batched", "n number primary key, t varchar2(10) not null", () -> {
      try (PreparedStatement insert =
          connection.prepareStatement("insert into batched values (?, ?)")) {
        for (int n : new int[] {1, 2, 3, 1, 5}) {
          insert.setInt(1, n);
          insert.setString(2, "row " + n);
          insert.addBatch();
        }
        try {
          insert.executeBatch();
          throw new AssertionError("a doubled key was accepted");
        } catch (BatchUpdateException error) {
          equal(1, error.getErrorCode());
        }
      }
      connection.rollback();
      try (PreparedStatement insert =
          connection.prepareStatement("insert into batched values (?, ?)")) {
        for (int n = 0; n < 10; n++) {
          insert.setInt(1, n);
          insert.setString(2, "t" + n);
          insert.addBatch();
        }
        insert.executeBatch();
      }
      try (PreparedStatement update =
          connection.prepareStatement("update batched set t = 'u' where n < ?")) {
        for (int n : new int[] {3, 0, 5}) {
          update.setInt(1, n);
          update.addBatch();
        }
        equal("[3, 0, 5]", Arrays.toString(update.executeBatch()));
      }
    });
  }

  private static void returning() throws Exception {
    withTable("returned", "n number, t varchar2(100)", () -> {
      String sql = "insert into returned values (?, ?) returning n, t into ?, ?";
      try (OraclePreparedStatement insert =
          (OraclePreparedStatement) connection.prepareStatement(sql)) {
        for (int n = 1; n < 3; n++) {
          insert.setInt(1, n);
          insert.setString(2, "text " + n);
          insert.registerReturnParameter(3, Types.NUMERIC);
          insert.registerReturnParameter(4, Types.VARCHAR, 100);
          equal(1, insert.executeUpdate());
          try (ResultSet rows = insert.getReturnResultSet()) {
            rows.next();
            equal(n, rows.getInt(1));
            equal("text " + n, rows.getString(2));
          }
        }
      }
      try (PreparedStatement insert = connection.prepareStatement(
          "insert into returned values (3, 'three')", Statement.RETURN_GENERATED_KEYS)) {
        insert.executeUpdate();
        try (ResultSet rows = insert.getGeneratedKeys()) {
          isTrue(rows.next(), "the id of the new row comes back");
          equal(18, rows.getString(1).length());
        }
      }
      try (OraclePreparedStatement update = (OraclePreparedStatement) connection.prepareStatement(
          "update returned set t = upper(t) returning n into ?")) {
        update.registerReturnParameter(1, Types.NUMERIC);
        equal(3, update.executeUpdate());
        int sum = 0;
        try (ResultSet rows = update.getReturnResultSet()) {
          while (rows.next()) sum += rows.getInt(1);
        }
        equal(6, sum);
      }
    });
  }

  private static void constraintErrors() throws Exception {
    withTable("keyed", "n number primary key", () -> {
      run("insert into keyed values (1)");
      try (PreparedStatement insert = connection.prepareStatement("insert into keyed values (?)")) {
        for (int n : new int[] {1, 1}) {
          insert.setInt(1, n);
          refused(1, insert::executeUpdate);
        }
        insert.setInt(1, 2);
        equal(1, insert.executeUpdate());
      }
      equal(2, count("keyed"));
    });
  }

  // ---- blocks

  private static void blocks() throws Exception {
    try (CallableStatement call =
        connection.prepareCall("begin ? := ? + 1; ? := 'text ' || ?; end;")) {
      for (int n = 1; n < 4; n++) {
        call.registerOutParameter(1, Types.NUMERIC);
        call.setInt(2, n);
        call.registerOutParameter(3, Types.VARCHAR);
        call.setString(4, "v" + n);
        call.execute();
        equal(n + 1, call.getInt(1));
        equal("text v" + n, call.getString(3));
      }
    }
    try (CallableStatement call = connection.prepareCall("begin ? := ? * 2; end;")) {
      for (int n = 1; n < 4; n++) {
        call.registerOutParameter(1, Types.NUMERIC);
        call.setInt(1, 10);
        call.setInt(2, n);
        call.execute();
        equal(2 * n, call.getInt(1));
      }
    }
  }

  private static void indexTables() throws Exception {
    String sql = "declare type texts is table of varchar2(100) index by pls_integer; "
        + "w texts := ?; n dbms_sql.number_table; begin "
        + "for i in 1 .. w.count loop n(i) := length(w(i)); end loop; ? := n; end;";
    try (OracleCallableStatement call = (OracleCallableStatement) connection.prepareCall(sql)) {
      for (int size : new int[] {1, 40}) {
        String[] words = new String[size];
        for (int i = 0; i < size; i++) words[i] = "x".repeat(i + 1);
        call.setPlsqlIndexTable(1, words, 40, size, OracleTypes.VARCHAR, 100);
        call.registerIndexTableOutParameter(2, 40, OracleTypes.NUMBER, 0);
        call.execute();
        BigDecimal[] lengths = (BigDecimal[]) call.getPlsqlIndexTable(2);
        equal(size, lengths.length);
        for (int i = 0; i < size; i++) equal(i + 1, lengths[i].intValue());
      }
    }
  }

  /** The number of lines is IN OUT by one question mark. */
  private static void printedLines() throws Exception {
    run("begin dbms_output.enable(null); end;",
        "begin for i in 1 .. 5 loop dbms_output.put_line('line ' || i); end loop; end;");
    try (OracleCallableStatement call = (OracleCallableStatement) connection.prepareCall(
        "{call dbms_output.get_lines(?, ?)}")) {
      String found = "";
      for (int expected : new int[] {4, 1, 0}) {
        call.registerIndexTableOutParameter(1, 10, OracleTypes.VARCHAR, 100);
        call.setInt(2, 4);
        call.registerOutParameter(2, Types.INTEGER);
        call.execute();
        equal(expected, call.getInt(2));
        for (String line : (String[]) call.getPlsqlIndexTable(1)) found += line + ";";
      }
      equal("line 1;line 2;line 3;line 4;line 5;", found);
    }
  }

  private static void scrolling() throws Exception {
    try (Statement statement = connection.createStatement(
            ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY);
        ResultSet rows = statement.executeQuery("select level from dual connect by level <= 300")) {
      isTrue(rows.last(), "there is a last row");
      equal(300, rows.getInt(1));
      isTrue(rows.absolute(150), "there is a row 150");
      equal(150, rows.getInt(1));
      isTrue(rows.relative(-20), "there is a row 130");
      equal(130, rows.getInt(1));
      isTrue(rows.first() && !rows.previous(), "nothing is before the first row");
      isTrue(!rows.absolute(301), "nothing is after the last row");
    }
  }

  private static void errorInBlock() throws Exception {
    refused(20001, () -> run("begin raise_application_error(-20001, 'refused'); end;"));
    equal("1", one("select '1' from dual"));
  }

  // ---- LOBs

  private static String read(Reader from) throws Exception {
    StringBuilder all = new StringBuilder();
    char[] piece = new char[5000];
    for (int n; (n = from.read(piece)) > 0;) all.append(piece, 0, n);
    return all.toString();
  }

  private static byte[] read(InputStream from) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    from.transferTo(all);
    return all.toByteArray();
  }

  private static void lobs() throws Exception {
    withTable("lobs", "id number, c clob, b blob, n nclob", () -> {
      // Nothing outside the basic plane: this driver breaks such pairs between its own pieces.
      String text = "né € ".repeat(20000);
      byte[] binary = new byte[100000];
      for (int i = 0; i < binary.length; i++) binary[i] = (byte) (i * 7);
      Clob clob = connection.createClob();
      clob.setString(1, text);
      Blob blob = connection.createBlob();
      blob.setBytes(1, binary);
      try (PreparedStatement insert =
          connection.prepareStatement("insert into lobs values (?, ?, ?, ?)")) {
        insert.setInt(1, 1);
        insert.setClob(2, clob);
        insert.setBlob(3, blob);
        insert.setNString(4, "national ñ");
        insert.executeUpdate();
        insert.setInt(1, 2);
        insert.setString(2, text);
        insert.setBytes(3, binary);
        insert.setNull(4, Types.NCLOB);
        insert.executeUpdate();
        insert.setInt(1, 3);
        insert.setCharacterStream(2, new StringReader(text), text.length());
        insert.setBinaryStream(3, new java.io.ByteArrayInputStream(binary), binary.length);
        insert.setNull(4, Types.NCLOB);
        insert.executeUpdate();
        insert.setInt(1, 4);
        for (int i = 2; i < 5; i++) insert.setNull(i, Types.VARCHAR);
        insert.executeUpdate();
      }
      clob.free();
      blob.free();
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("select id, c, b, n from lobs order by id")) {
        for (int id = 1; id <= 3; id++) {
          rows.next();
          equal(id, rows.getInt(1));
          Clob c = rows.getClob(2);
          equal((long) text.length(), c.length());
          equal(text, c.getSubString(1, text.length()));
          equal(text.substring(4, 14), c.getSubString(5, 10));
          equal(text, read(rows.getCharacterStream(2)));
          equal(text, rows.getString(2));
          Blob b = rows.getBlob(3);
          equal((long) binary.length, b.length());
          equal(binary, b.getBytes(1, binary.length));
          equal(binary, read(rows.getBinaryStream(3)));
          equal(id == 1 ? "national ñ" : null, rows.getString(4));
        }
        rows.next();
        for (int i = 2; i < 5; i++) equal(null, rows.getObject(i));
      }
    });
  }

  private static void storedLobs() throws Exception {
    withTable("stored_lobs", "id number, c clob, b blob", () -> {
      run("insert into stored_lobs values (1, 'hello world', hextoraw('000102'))",
          "insert into stored_lobs values (2, empty_clob(), empty_blob())");
      connection.commit();
      try (Statement statement = connection.createStatement()) {
        ResultSet unlocked = statement.executeQuery("select c, b from stored_lobs where id = 1");
        unlocked.next();
        Clob locked = unlocked.getClob(1);
        refused(22920, () -> locked.setString(1, "HELLO"));
        refused(22920, () -> locked.truncate(1));
      }
      String text = "né € ".repeat(20000);
      byte[] binary = new byte[100000];
      for (int i = 0; i < binary.length; i++) binary[i] = (byte) (i * 7);
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery(
              "select id, c, b from stored_lobs order by id for update")) {
        rows.next();
        Clob c = rows.getClob(2);
        equal(5, c.setString(1, "HELLO"));
        equal(1, c.setString(c.length() + 1, "!"));
        c.truncate(11);
        equal("HELLO world", c.getSubString(1, 100));
        Blob b = rows.getBlob(3);
        equal(2, b.setBytes(3, new byte[] {7, 8}));
        equal(4L, b.length());
        rows.next();
        try (java.io.Writer writer = rows.getClob(2).setCharacterStream(1)) {
          writer.write(text);
        }
        try (java.io.OutputStream stream = rows.getBlob(3).setBinaryStream(1)) {
          stream.write(binary);
        }
      }
      connection.commit();
      equal("HELLO world", one("select to_char(c) from stored_lobs where id = 1"));
      equal("00010708", one("select rawtohex(to_blob(b)) from stored_lobs where id = 1"));
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery("select c, b from stored_lobs where id = 2")) {
        rows.next();
        equal(text, rows.getString(1));
        equal(binary, rows.getBytes(2));
      }
    });
  }

  private static void returnedLobs() throws Exception {
    withTable("returned_lobs", "id number, c clob", () -> {
      String sql = "insert into returned_lobs values (1, empty_clob()) returning c into ?";
      try (OraclePreparedStatement insert =
          (OraclePreparedStatement) connection.prepareStatement(sql)) {
        insert.registerReturnParameter(1, Types.CLOB);
        insert.executeUpdate();
        try (ResultSet rows = insert.getReturnResultSet()) {
          rows.next();
          rows.getClob(1).setString(1, "written after its row");
        }
      }
      connection.commit();
      equal("written after its row", one("select to_char(c) from returned_lobs"));
    });
  }

  private static void temporaryLobs() throws Exception {
    Clob clob = connection.createClob();
    clob.setString(1, "first 🎉");
    clob.setString(9, "SECOND");
    clob.setString(1, "F");
    equal("First 🎉SECOND", clob.getSubString(1, 100));
    clob.truncate(5);
    equal("First", clob.getSubString(1, 100));
    equal(5L, clob.length());
    equal(4L, clob.position("st", 2));
    equal(-1L, clob.position("ST", 1));
    Clob part = connection.createClob();
    part.setString(1, "rs");
    equal(3L, clob.position(part, 1));
    part.free();
    clob.free();
    Blob blob = connection.createBlob();
    blob.setBytes(1, new byte[] {1, 2, 3, 2, 3});
    equal(4L, blob.position(new byte[] {2, 3}, 3));
    blob.truncate(2);
    equal(new byte[] {1, 2}, blob.getBytes(1, 9));
    blob.free();
    Clob national = connection.createNClob();
    national.setString(1, "ñ");
    equal("ñ", national.getSubString(1, 10));
    national.free();
  }

  // ---- breaks

  private static final String ENDLESS = "select count(*) from endless a, endless b, endless c, "
      + "endless d, endless e where a.n + b.n + c.n + d.n + e.n < 0";

  private static void withEndless(Check body) throws Exception {
    withTable("endless", "n number", () -> {
      try (PreparedStatement insert =
          connection.prepareStatement("insert into endless values (?)")) {
        for (int n = 0; n < 200; n++) {
          insert.setInt(1, n);
          insert.addBatch();
        }
        insert.executeBatch();
      }
      connection.commit();
      body.run();
      equal("1", one("select '1' from dual"));
    });
  }

  // A cancel before the server has the statement would be lost.
  private static void waitUntilActive(int session) throws SQLException {
    try (Connection other = connect(service, user, password);
        PreparedStatement active = other.prepareStatement(
            "select count(*) from v$session where sid = ? and status = 'ACTIVE'")) {
      active.setInt(1, session);
      for (int found = 0; found == 0; ) {
        try (ResultSet rows = active.executeQuery()) {
          rows.next();
          found = rows.getInt(1);
        }
      }
    }
  }

  private static void cancel() throws Exception {
    withEndless(() -> {
      try (Statement statement = connection.createStatement()) {
        int session = Integer.parseInt(String.valueOf(one(
            "select sys_context('USERENV', 'SID') from dual")));
        Thread canceller = new Thread(() -> {
          try {
            waitUntilActive(session);
            statement.cancel();
          } catch (Exception error) {
            throw new IllegalStateException(error);
          }
        });
        canceller.start();
        refused(1013, () -> statement.executeQuery(ENDLESS));
        canceller.join();
      }
    });
  }

  private static void timeout() throws Exception {
    withEndless(() -> {
      try (Statement statement = connection.createStatement()) {
        statement.setQueryTimeout(1);
        refused(1013, () -> statement.executeQuery(ENDLESS));
      }
    });
  }

  // ---- the dictionary, as DatabaseMetaData asks it

  private static List<String> column(ResultSet rows, String... names) throws SQLException {
    List<String> all = new ArrayList<>();
    try (rows) {
      while (rows.next()) {
        List<String> row = new ArrayList<>();
        for (String name : names) row.add(rows.getString(name));
        all.add(String.join("|", row.stream().map(String::valueOf).toList()));
      }
    }
    return all;
  }

  private static void withFamily(Check body) throws Exception {
    run("create table parents (id number(10) constraint parents_pk primary key, "
        + "name varchar2(30 char) default 'x' not null, born date, c clob)",
        "comment on table parents is 'those who were first'",
        "comment on column parents.name is 'how they are called'",
        "create table children (id number(10), parent_id number(10), rank number(3), "
            + "constraint children_pk primary key (parent_id, id), "
            + "constraint children_fk foreign key (parent_id) references parents (id) "
            + "on delete cascade)",
        "create unique index children_rank on children (rank, id)",
        "create view grown as select id, name from parents",
        "create sequence family_ids");
    try {
      body.run();
    } finally {
      run("drop view grown", "drop table children", "drop table parents",
          "drop sequence family_ids");
    }
  }

  private static void metaTables() throws Exception {
    withFamily(() -> {
      DatabaseMetaData meta = connection.getMetaData();
      String schema = user.toUpperCase();
      equal(List.of("CHILDREN|TABLE|null", "PARENTS|TABLE|null"), column(
          meta.getTables(null, schema, null, new String[] {"TABLE"}),
          "TABLE_NAME", "TABLE_TYPE", "REMARKS"));
      equal(List.of("GROWN|VIEW"), column(
          meta.getTables(null, schema, "GR%", new String[] {"TABLE", "VIEW"}),
          "TABLE_NAME", "TABLE_TYPE"));
      isTrue(column(meta.getTables(null, schema, "%", null), "TABLE_NAME").contains("PARENTS"),
          "all types of tables");
      isTrue(column(meta.getSchemas(), "TABLE_SCHEM").contains(schema), "the own schema");
      isTrue(column(meta.getTableTypes(), "TABLE_TYPE").contains("TABLE"), "table types");
    });
  }

  private static void metaKeys() throws Exception {
    withFamily(() -> {
      DatabaseMetaData meta = connection.getMetaData();
      String schema = user.toUpperCase();
      equal(List.of("ID|2|CHILDREN_PK", "PARENT_ID|1|CHILDREN_PK"), column(
          meta.getPrimaryKeys(null, schema, "CHILDREN"), "COLUMN_NAME", "KEY_SEQ", "PK_NAME"));
      String key = "PARENTS|ID|CHILDREN|PARENT_ID|1|" + DatabaseMetaData.importedKeyCascade
          + "|CHILDREN_FK|PARENTS_PK";
      String[] names = {"PKTABLE_NAME", "PKCOLUMN_NAME", "FKTABLE_NAME", "FKCOLUMN_NAME",
        "KEY_SEQ", "DELETE_RULE", "FK_NAME", "PK_NAME"};
      equal(List.of(key), column(meta.getImportedKeys(null, schema, "CHILDREN"), names));
      equal(List.of(key), column(meta.getExportedKeys(null, schema, "PARENTS"), names));
      equal(List.of(key),
          column(meta.getCrossReference(null, schema, "PARENTS", null, schema, "CHILDREN"), names));
    });
  }

  private static void metaColumns() throws Exception {
    withFamily(() -> {
      DatabaseMetaData meta = connection.getMetaData();
      String schema = user.toUpperCase();
      String[] names = {"COLUMN_NAME", "DATA_TYPE", "TYPE_NAME", "COLUMN_SIZE", "DECIMAL_DIGITS",
        "COLUMN_DEF", "ORDINAL_POSITION", "IS_NULLABLE"};
      equal(List.of("ID|2|NUMBER|10|0|null|1|NO", "NAME|12|VARCHAR2|30|null|'x'|2|NO",
          "BORN|93|DATE|7|null|null|3|YES", "C|2005|CLOB|4000|null|null|4|YES"),
          column(meta.getColumns(null, schema, "PARENTS", null), names));
      equal(List.of("PARENTS|NAME"),
          column(meta.getColumns(null, schema, "PAR%", "NA%"), "TABLE_NAME", "COLUMN_NAME"));
      equal(List.of("2|ID|2|NUMBER|10"), column(meta.getBestRowIdentifier(null, schema, "PARENTS",
          DatabaseMetaData.bestRowSession, false),
          "SCOPE", "COLUMN_NAME", "DATA_TYPE", "TYPE_NAME", "COLUMN_SIZE"));
      equal(List.of(), column(meta.getVersionColumns(null, schema, "PARENTS"), "COLUMN_NAME"));
      equal(List.of("ORA_ROWSCN", "ROWID", "ROWNUM"),
          column(meta.getPseudoColumns(null, schema, "PARENTS", "%"), "COLUMN_NAME"));
      isTrue(column(meta.getTables(null, null, "FAMILY%", new String[] {"SEQUENCE"}), "TABLE_NAME")
          .isEmpty(), "sequences are no tables here");
      equal(new BigDecimal(1), one("select count(*) from all_sequences where sequence_owner = ?"
          + " and sequence_name = 'FAMILY_IDS'", schema));
    });
  }

  private static void metaProcedures() throws Exception {
    run("create or replace procedure meta_procedure (a in number, b out varchar2) is begin null; "
        + "end;");
    try {
      DatabaseMetaData meta = connection.getMetaData();
      String schema = user.toUpperCase();
      equal(List.of("META_PROCEDURE|" + DatabaseMetaData.procedureNoResult),
          column(meta.getProcedures(null, schema, "META%"), "PROCEDURE_NAME", "PROCEDURE_TYPE"));
      // The simulator compiles no procedures, so it knows no arguments of theirs.
      column(meta.getProcedureColumns(null, schema, "META%", "%"), "COLUMN_NAME");
      column(meta.getFunctionColumns(null, schema, "META%", "%"), "COLUMN_NAME");
      int bytes = generation.equals("12.2") || generation.compareTo("18") >= 0 ? 128 : 30;
      equal(bytes, meta.getMaxColumnNameLength());
    } finally {
      run("drop procedure meta_procedure");
    }
  }

  private static void metaIndexes() throws Exception {
    withFamily(() -> {
      List<String> found = column(connection.getMetaData().getIndexInfo(null, user.toUpperCase(),
          "CHILDREN", false, true), "INDEX_NAME", "NON_UNIQUE", "ORDINAL_POSITION", "COLUMN_NAME");
      found.removeIf(row -> row.startsWith("null"));  // the table's own statistics
      equal(List.of("CHILDREN_PK|0|1|PARENT_ID", "CHILDREN_PK|0|2|ID", "CHILDREN_RANK|0|1|RANK",
          "CHILDREN_RANK|0|2|ID"), found);
    });
  }

  private static void metaOthers() throws Exception {
    DatabaseMetaData meta = connection.getMetaData();
    isTrue(column(meta.getTypeInfo(), "TYPE_NAME").contains("NUMBER"), "type NUMBER");
    column(meta.getProcedures(null, user.toUpperCase(), "%"), "PROCEDURE_NAME");
    column(meta.getFunctions(null, user.toUpperCase(), "%"), "FUNCTION_NAME");
    column(meta.getUDTs(null, user.toUpperCase(), "%", null), "TYPE_NAME");
    column(meta.getCatalogs(), "TABLE_CAT");
    isTrue(!meta.getDatabaseProductVersion().isEmpty(), "the product has a version");
    isTrue(meta.getSQLKeywords().length() > 0, "keywords");
  }

  // ---- running

  private static Map<String, Check> checks() {
    Map<String, Check> all = new LinkedHashMap<>();
    all.put("version", JdbcPeer::version);
    all.put("wrong password", JdbcPeer::wrongPassword);
    all.put("unknown user", JdbcPeer::unknownUser);
    all.put("unknown service", JdbcPeer::unknownService);
    all.put("session labels", JdbcPeer::sessionLabels);
    all.put("many rows", JdbcPeer::manyRows);
    all.put("prepared again and again", JdbcPeer::preparedAgainAndAgain);
    all.put("binds of changing types", JdbcPeer::bindsOfChangingTypes);
    all.put("many statements", JdbcPeer::manyStatements);
    all.put("column metadata", JdbcPeer::columnMetadata);
    all.put("error position", JdbcPeer::errorPosition);
    all.put("numbers", JdbcPeer::numbers);
    all.put("scalars", JdbcPeer::scalars);
    all.put("row ids", JdbcPeer::rowIds);
    all.put("transactions", JdbcPeer::transactions);
    all.put("batches", JdbcPeer::batches);
    all.put("returning", JdbcPeer::returning);
    all.put("constraint errors", JdbcPeer::constraintErrors);
    all.put("blocks", JdbcPeer::blocks);
    all.put("index-by tables", JdbcPeer::indexTables);
    all.put("printed lines", JdbcPeer::printedLines);
    all.put("scrolling", JdbcPeer::scrolling);
    all.put("error in a block", JdbcPeer::errorInBlock);
    all.put("lobs", JdbcPeer::lobs);
    all.put("temporary lobs", JdbcPeer::temporaryLobs);
    all.put("stored lobs", JdbcPeer::storedLobs);
    all.put("returned lobs", JdbcPeer::returnedLobs);
    all.put("cancel", JdbcPeer::cancel);
    all.put("timeout", JdbcPeer::timeout);
    all.put("metadata: tables", JdbcPeer::metaTables);
    all.put("metadata: keys", JdbcPeer::metaKeys);
    all.put("metadata: indexes", JdbcPeer::metaIndexes);
    all.put("metadata: columns", JdbcPeer::metaColumns);
    all.put("metadata: procedures", JdbcPeer::metaProcedures);
    all.put("metadata: others", JdbcPeer::metaOthers);
    return all;
  }

  private static void report(String name, Check check) {
    try {
      if (connection == null || connection.isClosed()) {
        connection = connect(service, user, password);
        connection.setAutoCommit(false);
      }
      check.run();
      System.out.println("ok " + name);
    } catch (Throwable error) {
      StringBuilder reason = new StringBuilder(error.toString());
      for (StackTraceElement at : error.getStackTrace()) {
        if (at.getClassName().startsWith("JdbcPeer")) {
          reason.append(" at line ").append(at.getLineNumber());
        }
      }
      System.out.println("not ok " + name + ": " + reason.toString().replace('\n', ' '));
      if (System.getenv("PEER_TRACE") != null) error.printStackTrace();
    }
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 1 && arguments[0].equals("--list")) {
      checks().keySet().forEach(System.out::println);
      return;
    }
    address = arguments[0];
    service = arguments[1];
    user = arguments[2];
    password = arguments[3];
    generation = arguments[4];
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    checks().forEach((name, check) -> {
      boolean chosen = arguments.length == 5 || name.contains(arguments[5]);
      if (chosen) report(name, check);
    });
    if (connection != null) connection.close();
    System.out.println("done");
  }
}
