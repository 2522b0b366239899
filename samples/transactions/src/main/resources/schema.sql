create table account (customer varchar(100) primary key);
