// A LADS server that nobody here wrote the types of: node-opcua makes a device of a maker's own type, derived from
// LADSDeviceType, with one functional unit, two controllers and a sensor, from the official node sets. It prints its URL
// and ends with its standard input.
"use strict";
const { OPCUAServer } = require("node-opcua-server");
const { DataType } = require("node-opcua-client");
const { EUInformation } = require("node-opcua-types");
const { nodesets } = require("node-opcua-nodesets");

const LADS = "http://opcfoundation.org/UA/LADS/";

async function main() {
  const server = new OPCUAServer({
    port: Number(process.argv[2]), hostname: "127.0.0.1", alternateHostname: ["127.0.0.1"], allowAnonymous: true,
    nodeset_filename: [nodesets.standard, nodesets.di, nodesets.amb, nodesets.ia, nodesets.machinery, nodesets.lads],
  });
  await server.initialize();
  const { addressSpace } = server.engine;
  const own = addressSpace.registerNamespace("urn:maker:bench");
  const lads = addressSpace.getNamespaceIndex(LADS);
  const kind = (name) => addressSpace.findObjectType(name, lads);
  const makers = own.addObjectType({ browseName: "StirrerStation", subtypeOf: kind("LADSDeviceType") });
  const deviceSet = addressSpace.findNode(`ns=${addressSpace.getNamespaceIndex("http://opcfoundation.org/UA/DI/")};i=5001`);
  const device = makers.instantiate({ browseName: "Station 7", componentOf: deviceSet });
  const unit = kind("FunctionalUnitType").instantiate({
    browseName: "Vessel A", componentOf: device.getChildByName("FunctionalUnitSet"),
    optionals: ["FunctionSet", "ProgramManager", "FunctionalUnitState.RunningStateMachine"],
  });
  const functions = unit.getChildByName("FunctionSet");
  const add = (name, type, values) => {
    const made = kind(type).instantiate({ browseName: name, componentOf: functions });
    for (const [child, value] of Object.entries(values)) {
      made.getChildByName(child).setValueFromSource({ dataType: DataType.Double, value });
    }
    return made;
  };
  const warmth = add("Temperature", "AnalogControlFunctionType", { CurrentValue: 36.5, TargetValue: 37 });
  warmth.getChildByName("CurrentValue").getChildByName("EngineeringUnits").setValueFromSource({
    dataType: DataType.ExtensionObject, value: new EUInformation({ unitId: 4408652, displayName: { text: "\u00b0C" } }),
  });
  add("Stirrer", "AnalogControlFunctionType", { CurrentValue: 240, TargetValue: 250 });
  add("pH", "AnalogScalarSensorFunctionType", { SensorValue: 7.02, RawValue: 7.02 });
  const text = (value) => ({ dataType: DataType.LocalizedText, value: { text: value } });
  const state = unit.getChildByName("FunctionalUnitState");
  state.getChildByName("CurrentState").setValueFromSource(text("Running"));
  const within = state.getChildByName("RunningStateMachine");
  if (within) within.getChildByName("CurrentState").setValueFromSource(text("Held"));
  device.getChildByName("Manufacturer").setValueFromSource(text("Maker"));
  device.getChildByName("Model").setValueFromSource(text("Station"));
  await server.start();
  console.log(server.getEndpointUrl());
  process.stdin.on("end", () => server.shutdown(0).then(() => process.exit(0)));
  process.stdin.resume();
}

main().catch((error) => { console.error(error); process.exit(1); });
