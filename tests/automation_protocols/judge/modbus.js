// modbus-serial as a client (`client PORT`, requests as JSON lines on standard input, each answered by a line) and as
// a server (`server PORT REGISTERS`, holding registers as a JSON list; it prints every write as a line).
"use strict";
const ModbusRTU = require("modbus-serial");
const [role, port, registers] = process.argv.slice(2);
const reads = { holding: "readHoldingRegisters", input: "readInputRegisters", coil: "readCoils", discrete: "readDiscreteInputs" };

async function ask(client, request) {
  try {
    if (request.write) {
      const act = request.one ? client.writeRegister(request.address, request.write[0]) : client.writeRegisters(request.address, request.write);
      await act;
      return { done: true };
    }
    if (request.identify) return { data: (await client.readDeviceIdentification(1, 0)).data };
    const answer = await client[reads[request.table]](request.address, request.count);
    return { data: answer.data, float32: answer.buffer.length === 4 ? answer.buffer.readFloatBE(0) : null,
             float64: answer.buffer.length === 8 ? answer.buffer.readDoubleBE(0) : null };
  } catch (error) {
    return { error: error.message, code: error.modbusCode };
  }
}

async function client() {
  const modbus = new ModbusRTU();
  await modbus.connectTCP("127.0.0.1", { port: Number(port) });
  modbus.setID(1);
  modbus.setTimeout(5000);
  const lines = require("readline").createInterface({ input: process.stdin });
  for await (const line of lines) console.log(JSON.stringify(await ask(modbus, JSON.parse(line))));
  modbus.close(() => process.exit(0));
}

function server() {
  const held = JSON.parse(registers);
  const coils = [true, false, true];
  const fail = () => { throw Object.assign(new Error("no such register"), { modbusErrorCode: 2 }); };
  const vector = {
    getHoldingRegister: (address) => (address < held.length ? held[address] : fail()),
    getInputRegister: (address) => (address < held.length ? 65535 - held[address] : fail()),
    getCoil: (address) => (address < coils.length ? coils[address] : fail()),
    setCoil: (address, value) => { coils[address] = value; console.log(JSON.stringify({ coil: address, value })); },
    // register 9 is limited by the device, register 8 is busy
    setRegister: (address, value) => {
      if (address === 8) throw Object.assign(new Error("device failure"), { modbusErrorCode: 4 });
      held[address] = address === 9 ? Math.min(value, 100) : value;
      console.log(JSON.stringify({ address, value }));
    },
  };
  const modbus = new ModbusRTU.ServerTCP(vector, { host: "127.0.0.1", port: Number(port), unitID: 1 });
  modbus.on("initialized", () => console.log("ready"));
  process.stdin.resume();
  process.stdin.on("end", () => process.exit(0));
}

(role === "server" ? Promise.resolve(server()) : client()).catch((error) => { console.error(error); process.exit(1); });
