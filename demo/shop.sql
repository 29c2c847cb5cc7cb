-- The shop that `make demo` moves: keys, long texts, pictures, and an audit table with every scalar
-- type. All rows are computed, so that every run makes the same shop.

CREATE TABLE customers (
  customer_id  NUMBER(9)          NOT NULL,
  full_name    VARCHAR2(80 CHAR)  NOT NULL,
  email        VARCHAR2(120)      NOT NULL,
  city         NVARCHAR2(40),
  country      CHAR(2)            NOT NULL,
  credit_limit NUMBER(10,2),
  joined_on    DATE               NOT NULL,
  balance      NUMBER(12,2)       NOT NULL,
  CONSTRAINT customers_pk PRIMARY KEY (customer_id),
  CONSTRAINT customers_email_uk UNIQUE (email)
);
COMMENT ON TABLE customers IS 'Who buys';

CREATE TABLE products (
  product_id  NUMBER(6)          NOT NULL,
  name        VARCHAR2(100 CHAR) NOT NULL,
  price       NUMBER(8,2)        NOT NULL,
  weight_kg   BINARY_DOUBLE,
  description CLOB,
  picture     BLOB,
  CONSTRAINT products_pk PRIMARY KEY (product_id)
);

CREATE TABLE orders (
  order_id    NUMBER(9)    NOT NULL,
  customer_id NUMBER(9)    NOT NULL,
  ordered_at  TIMESTAMP(3) NOT NULL,
  status      VARCHAR2(10) NOT NULL,
  note        VARCHAR2(200 CHAR),
  CONSTRAINT orders_pk PRIMARY KEY (order_id),
  CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (customer_id)
);
CREATE INDEX orders_customer_ix ON orders (customer_id);
CREATE SEQUENCE order_ids START WITH 1000001;  -- of orders that come while the shop moves

CREATE TABLE order_lines (
  order_id   NUMBER(9)   NOT NULL,
  line_no    NUMBER(3)   NOT NULL,
  product_id NUMBER(6)   NOT NULL,
  quantity   NUMBER(5)   NOT NULL,
  unit_price NUMBER(8,2) NOT NULL,
  discount   NUMBER,
  CONSTRAINT order_lines_pk PRIMARY KEY (order_id, line_no),
  CONSTRAINT order_lines_order_fk FOREIGN KEY (order_id) REFERENCES orders (order_id),
  CONSTRAINT order_lines_product_fk FOREIGN KEY (product_id) REFERENCES products (product_id)
);

CREATE TABLE audit_log (
  audit_id      NUMBER(9) NOT NULL,
  any_number    NUMBER,
  whole         NUMBER(38),
  money         NUMBER(12,2),
  thousands     NUMBER(8,-3),
  ratio         FLOAT(126),
  single_float  BINARY_FLOAT,
  double_float  BINARY_DOUBLE,
  text          VARCHAR2(200 CHAR),
  national_text NVARCHAR2(100),
  padded        CHAR(12),
  national_pad  NCHAR(8),
  day           DATE,
  ts_seconds    TIMESTAMP(0),
  ts_micros     TIMESTAMP(6),
  ts_nanos      TIMESTAMP(9),
  ts_zone       TIMESTAMP(6) WITH TIME ZONE,
  ts_local      TIMESTAMP(6) WITH LOCAL TIME ZONE,
  months_span   INTERVAL YEAR(4) TO MONTH,
  seconds_span  INTERVAL DAY(5) TO SECOND(6),
  fingerprint   RAW(32),
  long_text     CLOB,
  national_clob NCLOB,
  bytes         BLOB,
  CONSTRAINT audit_log_pk PRIMARY KEY (audit_id)
);

INSERT INTO customers
SELECT LEVEL,
       DECODE(MOD(LEVEL, 7), 0, 'José', 1, 'Søren', 2, 'Łucja', 3, 'Anna', 4, '美咲', 5, 'Ömer', 'Olga')
         || ' ' || DECODE(MOD(LEVEL, 5), 0, 'Müller', 1, 'Novák', 2, 'Smith', 3, 'Иванова', 'Rossi'),
       'customer' || LEVEL || '@shop.example',
       DECODE(MOD(LEVEL, 6), 0, NULL, 1, 'Zürich', 2, 'Kraków', 3, '東京', 4, 'Αθήνα', 'Oslo'),
       DECODE(MOD(LEVEL, 4), 0, 'CH', 1, 'PL', 2, 'JP', 'NO'),
       CASE WHEN MOD(LEVEL, 11) = 0 THEN NULL ELSE MOD(LEVEL * 7919, 1000000) / 100 END,
       TO_DATE('2015-01-01', 'YYYY-MM-DD') + MOD(LEVEL * 31, 3650),
       1000
  FROM dual CONNECT BY LEVEL <= 20000;

INSERT INTO products
SELECT LEVEL,
       'Product ' || TO_CHAR(LEVEL) || ' ★',
       MOD(LEVEL * 104729, 9999900) / 100 + 1,
       MOD(LEVEL * 13, 977) / 8,
       CASE WHEN MOD(LEVEL, 50) = 0 THEN NULL
            ELSE RPAD('A sturdy thing for every day, number ' || LEVEL || '. ', 3900,
                      'It was made with care – für alle, 皆様へ. ') END,
       CASE WHEN MOD(LEVEL, 3) = 0 THEN NULL
            ELSE HEXTORAW(RPAD('89504E470D0A1A0A', 400 + MOD(LEVEL, 1000) * 2, 'C0FFEE00')) END
  FROM dual CONNECT BY LEVEL <= 2000;

INSERT INTO orders
SELECT LEVEL,
       MOD(LEVEL * 8121, 20000) + 1,
       TO_TIMESTAMP('2023-01-01 00:00:00.250', 'YYYY-MM-DD HH24:MI:SS.FF3')
         + NUMTODSINTERVAL(LEVEL * 977, 'SECOND'),
       DECODE(MOD(LEVEL, 5), 0, 'NEW', 1, 'PAID', 2, 'SENT', 3, 'RETURNED', 'DONE'),
       CASE WHEN MOD(LEVEL, 9) = 0 THEN 'Please ring twice – order ' || LEVEL END
  FROM dual CONNECT BY LEVEL <= 60000;

INSERT INTO order_lines
SELECT TRUNC((LEVEL - 1) * 2 / 5) + 1,
       LEVEL - CEIL(TRUNC((LEVEL - 1) * 2 / 5) * 5 / 2),
       MOD(LEVEL * 3571, 2000) + 1,
       MOD(LEVEL, 9) + 1,
       MOD(LEVEL * 104729, 999900) / 100 + 1,
       CASE WHEN MOD(LEVEL, 4) = 0 THEN MOD(LEVEL, 100) / 300 END
  FROM dual CONNECT BY LEVEL <= 150000;

INSERT INTO audit_log
SELECT LEVEL,
       LEVEL / 7,
       LEVEL * 1000000000000000000000000000000000 + 7,
       MOD(LEVEL * 9973, 100000000) / 100 - 5000,
       LEVEL * 1000,
       1 / LEVEL,
       CASE WHEN MOD(LEVEL, 100) = 0 THEN BINARY_FLOAT_NAN ELSE TO_BINARY_FLOAT(LEVEL / 8) END,
       CASE WHEN MOD(LEVEL, 100) = 1 THEN BINARY_DOUBLE_INFINITY
            ELSE TO_BINARY_DOUBLE(LEVEL / 3) END,
       'line ' || LEVEL || ' – ünïcödé ✓ 😀',
       'nat ' || LEVEL || ' 日本語',
       'pad ' || LEVEL,
       'n' || MOD(LEVEL, 1000),
       TO_DATE('-4000-02-03 04:05:06', 'SYYYY-MM-DD HH24:MI:SS') + LEVEL * 1000,
       TO_TIMESTAMP('1969-12-31 23:59:59', 'YYYY-MM-DD HH24:MI:SS')
         + NUMTODSINTERVAL(LEVEL, 'SECOND'),
       TO_TIMESTAMP('2024-02-29 12:00:00.123456', 'YYYY-MM-DD HH24:MI:SS.FF6')
         + NUMTODSINTERVAL(LEVEL, 'MINUTE'),
       TO_TIMESTAMP('2024-02-29 12:00:00.123456789', 'YYYY-MM-DD HH24:MI:SS.FF9')
         + NUMTODSINTERVAL(LEVEL, 'HOUR'),
       TO_TIMESTAMP_TZ('2024-06-01 08:30:00.5 +05:45', 'YYYY-MM-DD HH24:MI:SS.FF TZH:TZM'),
       TO_TIMESTAMP('2024-06-01 08:30:00.25', 'YYYY-MM-DD HH24:MI:SS.FF')
         + NUMTODSINTERVAL(LEVEL, 'SECOND'),
       NUMTOYMINTERVAL(LEVEL - 1000, 'MONTH'),
       NUMTODSINTERVAL((LEVEL - 1000) * 3601, 'SECOND'),
       HEXTORAW(LPAD(TO_CHAR(MOD(LEVEL * 7919, 100000)), 32, '0')),
       CASE WHEN MOD(LEVEL, 10) = 0 THEN RPAD('long text ' || LEVEL || ' ', 3000, 'äöü 漢字 ') END,
       CASE WHEN MOD(LEVEL, 10) = 5 THEN RPAD('national ' || LEVEL || ' ', 900, 'ж ') END,
       CASE WHEN MOD(LEVEL, 10) = 3 THEN HEXTORAW(RPAD('00FF', 1000, '0123456789ABCDEF')) END
  FROM dual CONNECT BY LEVEL <= 5000;

-- A row in which everything but the key is null.
INSERT INTO audit_log (audit_id) VALUES (900000);

-- Some descriptions of half a megabyte.
UPDATE products SET description = description || description WHERE product_id <= 8;
UPDATE products SET description = description || description WHERE product_id <= 8;
UPDATE products SET description = description || description WHERE product_id <= 8;
UPDATE products SET description = description || description WHERE product_id <= 8;
UPDATE products SET description = description || description WHERE product_id <= 8;
UPDATE products SET description = description || description WHERE product_id <= 8;
UPDATE products SET description = description || description WHERE product_id <= 8;

COMMIT;
