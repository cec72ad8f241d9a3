module github.com/seed238ab19c/tosspayments/bench

go 1.25.0

require github.com/seed238ab19c/tosspayments v0.1.0

replace github.com/seed238ab19c/tosspayments => ../
