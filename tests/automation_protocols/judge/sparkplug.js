// Reads every message of an edge node with sparkplug-payload, and sends it commands that the same library encodes.
// Arguments: broker URL, group, edge node, device, metric to write, value, seconds to listen at most.
// Prints one JSON document: how many messages of each kind were decoded, births, values, and what was held at last.
"use strict";
const mqtt = require("mqtt");
const sparkplug = require("sparkplug-payload").get("spBv1.0");

const [broker, group, edge, device, metric, value, seconds] = process.argv.slice(2);
const plain = (item) => (item !== null && typeof item === "object" && typeof item.toNumber === "function" ? item.toNumber() : item);
const found = { kinds: {}, failed: 0, seq: [], bdSeq: [], births: {}, aliases: {}, units: {}, origins: [], values: 0, written: null, deaths: 0 };
let asked = false;
let commanded = false;

const client = mqtt.connect(broker, { clientId: "judge", protocolVersion: 4 });
const finish = () => { client.end(true); console.log(JSON.stringify(found)); process.exit(0); };
setTimeout(finish, 1000 * Number(seconds));

const send = (kind, device, metrics) => {
  const payload = { timestamp: Date.now(), metrics };
  const topic = `spBv1.0/${group}/${kind}/${edge}` + (device ? `/${device}` : "");
  client.publish(topic, Buffer.from(sparkplug.encodePayload(payload)));
};

client.on("connect", () => client.subscribe(`spBv1.0/${group}/#`, () => {
  asked = true;
  console.error("listening");
  send("NCMD", "", [{ name: "Node Control/Rebirth", type: "Boolean", value: true }]);
}));

client.on("message", (topic, raw) => {
  const [, , kind, node, from] = topic.split("/");
  if (node !== edge || kind.endsWith("CMD")) return;
  let payload;
  try { payload = sparkplug.decodePayload(raw); } catch (error) { found.failed += 1; return; }
  found.kinds[kind] = (found.kinds[kind] || 0) + 1;
  if (kind === "NDEATH") { found.deaths += 1; finish(); }
  found.seq.push(plain(payload.seq));
  for (const item of payload.metrics) {
    if (item.name === "bdSeq") found.bdSeq.push(plain(item.value));
    if (kind.endsWith("BIRTH")) {
      if (item.alias !== undefined) found.aliases[plain(item.alias)] = [from || "", item.name];
      found.births[`${from || ""}/${item.name}`] = { type: item.type, value: plain(item.value) };
      const properties = item.properties || {};
      if (properties.engUnit) found.units[`${from || ""}/${item.name}`] = properties.engUnit.value;
      if (properties.origin && !found.origins.includes(properties.origin.value)) found.origins.push(properties.origin.value);
    } else {
      found.values += 1;
      const name = (found.aliases[plain(item.alias)] || ["", "?"])[1];
      if (from === device && name === metric) found.written = plain(item.value);
    }
  }
  if (asked && !commanded && kind === "DBIRTH" && from === device) {
    commanded = true;
    send("DCMD", device, [{ name: metric, type: "Double", value: Number(value) }]);
  }
});
