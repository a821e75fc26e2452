const { createServer } = require('node:http');
const ms = require('ms');

const started = Date.now();
const server = createServer((_, response) => response.end(`hello from ocits, up for ${ms(Date.now() - started)}\n`));
server.listen(Number(process.env.PORT), () => console.log(`listening on ${process.env.PORT}`));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
