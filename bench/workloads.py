"""The tables that are measured, and how they are filled."""
import oracledb

# The two tables of the speed goals: name -> (rows, DDL, insert).
MEASURED = {
    "NARROW": (1_000_000, """
        create table narrow (id number(9) primary key, account number(9), amount number(12,2),
                             code varchar2(20), day date)""", """
        insert into narrow
        select level, mod(level * 7919, 1000003), mod(level * 104729, 100000000) / 100,
               'code ' || level, date '2020-01-01' + mod(level, 2000)
          from dual connect by level <= {rows}"""),
    "WIDE": (200_000, """
        create table wide (id number(12) primary key, a number, b number(38,10), c number(4),
                           d binary_double, name varchar2(100), city nvarchar2(40),
                           remark varchar2(400), note varchar2(300), made date,
                           changed timestamp(6), zone timestamp(6) with time zone,
                           digest raw(32))""", """
        insert into wide
        select level, level / 7, level * 1.0000000001, mod(level, 9999), level / 3,
               'a name that is number ' || level, 'Zürich ' || level,
               rpad('remark ' || level || ' ', 350, 'lorem ipsum dolor '),
               rpad('note ' || level || ' ', 250, 'sit amet '),
               date '2020-01-01' + mod(level, 2000),
               to_timestamp('2024-02-29 12:00:00.123456', 'YYYY-MM-DD HH24:MI:SS.FF6')
                 + numtodsinterval(level, 'SECOND'),
               to_timestamp_tz('2024-06-01 08:30:00.5 +05:45', 'YYYY-MM-DD HH24:MI:SS.FF TZH:TZM'),
               hextoraw(lpad(to_char(level), 64, '0'))
          from dual connect by level <= {rows}"""),
}

# The same bytes as LOBs and as strings ...
SMALL_LOB_BYTES, SMALL_LOB_ROWS = 2000, 100_000
SMALL_LOBS = {"SMALL_CLOB": "SMALL_TEXT", "SMALL_BLOB": "SMALL_RAW"}
SMALL_LOB_TABLES = {
    "SMALL_TEXT": ("varchar2(4000)", "rpad('text ' || level || ' ', {bytes}, 'lorem ipsum ')"),
    "SMALL_CLOB": ("clob", "rpad('text ' || level || ' ', {bytes}, 'lorem ipsum ')"),
    "SMALL_RAW": ("raw(2000)", "utl_raw.cast_to_raw(rpad('raw ' || level || ' ', {bytes}, 'x'))"),
    "SMALL_BLOB": ("blob", "utl_raw.cast_to_raw(rpad('raw ' || level || ' ', {bytes}, 'x'))"),
}
# ... and one LOB alone.
ONE_LOB, ONE_LOB_BYTES = "ONE_LOB", 100_000_000

# Loaded beside them, all tables in one task, for the peak of memory.
LARGE_COPIES = 4  # of NARROW
LARGE = """create table large (id number(9), account number(9), amount number(12,2),
                               code varchar2(20), day date)"""
FILL_LARGE = "insert into large select id, account, amount, code, day from narrow"
DOCUMENT = "create table document (id number(9) primary key, body clob, picture blob)"
DOCUMENTS, DOCUMENT_CHARACTERS, LARGEST_CHARACTERS = 200, 500_000, 30_000_000


def fill_measured(sim, scale):
    for rows, create, fill in MEASURED.values():
        sim.execute(create, fill.format(rows=int(rows * scale)))


def fill_lobs(sim, scale):
    rows = int(SMALL_LOB_ROWS * scale)
    for table, (data_type, value) in SMALL_LOB_TABLES.items():
        sim.execute(f"create table {table} (id number(9) primary key, body {data_type})",
                    f"insert into {table} select level, {value.format(bytes=SMALL_LOB_BYTES)} "
                    f"from dual connect by level <= {rows}")
    sim.execute(f"create table {ONE_LOB} (id number(9) primary key, body clob)")
    with sim.connect() as connection, connection.cursor() as cursor:
        cursor.setinputsizes(None, oracledb.DB_TYPE_CLOB)
        cursor.execute(f"insert into {ONE_LOB} values (:1, :2)", 
                       [1, "0123456789" * (ONE_LOB_BYTES // 10)])
        connection.commit()


def fill_for_memory(sim, scale):
    """Many rows and many large values."""
    sim.execute(LARGE, *[FILL_LARGE] * LARGE_COPIES, DOCUMENT)
    with sim.connect() as connection, connection.cursor() as cursor:
        for number in range(max(1, int(DOCUMENTS * scale))):
            size = DOCUMENT_CHARACTERS if number else LARGEST_CHARACTERS
            text = (f"Seite {number}: Größe " * (size // 10))[:size]
            cursor.setinputsizes(None, oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_BLOB)
            cursor.execute("insert into document values (:1, :2, :3)",
                           [number, text, text.encode("latin-1")])
        connection.commit()
