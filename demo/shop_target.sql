-- The shop as its application wants it in PostgreSQL: foreign keys, indexes, and a trigger that has
-- the warehouse told of every order. AUDIT_LOG is not in it, so Wherry makes that table.
create schema shop;
create table shop.customers (
  customer_id  integer primary key,
  full_name    varchar(80) not null,
  email        varchar(120) not null constraint customers_email_uk unique,
  city         varchar(40),
  country      varchar(2) not null,
  credit_limit numeric(10,2),
  joined_on    timestamp(0) not null,
  balance      numeric(12,2) not null
);
create table shop.products (
  product_id  integer primary key,
  name        varchar(100) not null,
  price       numeric(8,2) not null,
  weight_kg   double precision,
  description text,
  picture     bytea
);
create table shop.orders (
  order_id    integer primary key,
  customer_id integer not null references shop.customers,
  ordered_at  timestamp(3) not null,
  status      varchar(10) not null,
  note        varchar(200)
);
create index orders_customer_ix on shop.orders (customer_id);
create table shop.order_lines (
  order_id   integer references shop.orders,
  line_no    smallint,
  product_id integer not null references shop.products,
  quantity   integer not null,
  unit_price numeric(8,2) not null,
  discount   numeric,
  primary key (order_id, line_no)
);
create index order_lines_product_ix on shop.order_lines (product_id);

create table shop.warehouse_letters (order_id integer, written_at timestamptz default now());
create function shop.tell_warehouse() returns trigger language plpgsql as $$
begin
  insert into shop.warehouse_letters (order_id) values (new.order_id);
  return null;
end $$;
create trigger tell_warehouse after insert on shop.orders
  for each row execute function shop.tell_warehouse();
