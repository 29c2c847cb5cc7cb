module wherry.test/go_ora_peer

go 1.18

require github.com/sijms/go-ora/v2 v2.8.24
