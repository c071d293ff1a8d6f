"""Charts as data: numbers in, shapes out. Templates write them as SVG, so that nothing here makes markup."""
