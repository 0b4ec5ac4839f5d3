// PM2's client as published, asked on standard input: a line ["data.events.retrieve", …arguments] is answered by a line {status, data}.

import {createInterface} from 'node:readline';
import Client from '@pm2/js-api';

const {API_URL, REFRESH_TOKEN} = process.env;
const client = new Client({services: {API: API_URL, OAUTH: API_URL}});
client.use('standalone', {refresh_token: REFRESH_TOKEN});

for await (const line of createInterface({input: process.stdin})) {
  const [name, ...args] = JSON.parse(line);
  const call = name.split('.').reduce((space, part) => space[part], client);
  const told = await call(...args).catch((refusal) => refusal);   // a refusal of the API is its response, anything else an Error
  console.log(JSON.stringify(told instanceof Error ? {status: null, data: told.message} : {status: told.status, data: told.data}));
}
