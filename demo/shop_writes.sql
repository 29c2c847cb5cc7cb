-- One customer pays another one and orders something; for pgbench.
\set payer random(1, 20000)
\set payee random(1, 20000)
\set amount random(1, 20)
\set product random(1, 2000)
\set old random(1, 60000)
begin;
update shop.customers set balance = balance - :amount where id = :payer;
update shop.customers set balance = balance + :amount where id = :payee;
with placed as (insert into shop.orders (customer_id, note) values (:payer, 'new') returning id)
insert into shop.order_lines select id, 1, :product, 1 from placed;
update shop.order_lines set quantity = quantity + 1 where order_id = :old;
commit;
