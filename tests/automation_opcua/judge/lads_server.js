// A LADS server that nobody here wrote the types of: node-opcua makes a device of a maker's own type, derived from
// LADSDeviceType, with one functional unit, two controllers and a sensor, from the official node sets. It prints its URL
// and ends with its standard input.
"use strict";
const { OPCUAServer } = require("node-opcua-server");
const { DataType, StatusCodes } = require("node-opcua-client");
const { EUInformation } = require("node-opcua-types");
const { nodesets } = require("node-opcua-nodesets");

const LADS = "http://opcfoundation.org/UA/LADS/";

// What the device does: a program runs for RUN_MS, in hold its time stands still; its result is there from the start on.
const RUN_MS = 5000;
function programs(addressSpace, unit, kind, { state, within, show }) {
  const manager = unit.getChildByName("ProgramManager");
  const put = (node, child, dataType, value) => node.getChildByName(child).setValueFromSource({ dataType, value });
  const template = kind("ProgramTemplateType").instantiate({
    browseName: "Fed-batch 37", componentOf: manager.getChildByName("ProgramTemplateSet"),
  });
  put(template, "DeviceTemplateId", DataType.String, "FB-37");
  let run = null;
  let left = 0;
  let since = 0;
  let timer = null;
  const go = () => {
    since = Date.now();
    show("Running", "Execute");
    timer = setTimeout(() => { end("Stopped"); }, left);
  };
  const end = (word) => {
    clearTimeout(timer);
    show(word);
    setTimeout(() => put(run, "Stopped", DataType.DateTime, new Date()), 300); // a little later, as devices do
  };
  const bind = (holder, name, act) => holder.getChildByName(name).bindMethod(
    async (given, _context) => act(given.map((item) => item.value)));
  const bad = { statusCode: StatusCodes.BadInvalidState };
  let count = 0;
  bind(state, "StartProgram", ([id, properties, job, task]) => {
    if (id !== "FB-37" || timer) return { statusCode: StatusCodes.BadInvalidArgument };
    count += 1;
    run = kind("ResultType").instantiate({
      browseName: `run ${count}`, componentOf: manager.getChildByName("ResultSet"),
    });
    put(run, "SupervisoryJobId", DataType.String, job);
    put(run, "SupervisoryTaskId", DataType.String, task);
    put(run, "Description", DataType.LocalizedText, {
      text: (properties || []).map((item) => `${item.key}=${item.value}`).join(";"),
    });
    put(run, "Started", DataType.DateTime, new Date());
    left = RUN_MS;
    go();
    return { statusCode: StatusCodes.Good, outputArguments: [{ dataType: DataType.String, value: `run ${count}` }] };
  });
  bind(within, "Hold", () => {
    if (!timer) return bad;
    clearTimeout(timer);
    left -= Date.now() - since;
    show("Running", "Held");
    return { statusCode: StatusCodes.Good };
  });
  bind(within, "Unhold", () => { go(); return { statusCode: StatusCodes.Good }; });
  bind(state, "Abort", () => { end("Aborted"); return { statusCode: StatusCodes.Good }; });
  bind(state, "Stop", () => bad);
}

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
    optionals: [
      "FunctionSet", "ProgramManager", "FunctionalUnitState.RunningStateMachine", "FunctionalUnitState.StartProgram",
      "FunctionalUnitState.Abort", "FunctionalUnitState.Stop", "FunctionalUnitState.RunningStateMachine.Hold",
      "FunctionalUnitState.RunningStateMachine.Unhold",
    ],
  });
  const functions = unit.getChildByName("FunctionSet");
  const add = (name, type, values) => {
    const made = kind(type).instantiate({ browseName: name, componentOf: functions });
    for (const [child, value] of Object.entries(values)) {
      const node = made.getChildByName(child);
      node.setValueFromSource({ dataType: DataType.Double, value });
      if (child !== "TargetValue") addressSpace.installHistoricalDataNode(node);
      if (child === "TargetValue") node.userAccessLevel = node.accessLevel = 3;
      else setInterval(() => node.setValueFromSource({ dataType: DataType.Double, value }), 500);
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
  const within = state.getChildByName("RunningStateMachine");
  const show = (word, inner) => {
    state.getChildByName("CurrentState").setValueFromSource(text(word));
    within.getChildByName("CurrentState").setValueFromSource(
      inner ? text(inner) : { dataType: DataType.Null }, inner ? StatusCodes.Good : StatusCodes.BadStateNotActive);
  };
  show("Stopped");
  programs(addressSpace, unit, kind, { state, within, show });
  device.getChildByName("Manufacturer").setValueFromSource(text("Maker"));
  device.getChildByName("Model").setValueFromSource(text("Station"));
  const plc = own.addFolder(addressSpace.rootFolder.objects, { browseName: "PLC" });
  for (const [name, dataType, value] of [
    ["TIC.PV", DataType.Float, 36.5], ["TIC.SP", DataType.Float, 30], ["SIC.SP", DataType.Int16, 100],
    ["Owner", DataType.String, ""],
  ]) {
    own.addVariable({
      componentOf: plc, browseName: name, nodeId: `s=${name}`, dataType: DataType[dataType],
      accessLevel: name.endsWith("PV") ? 1 : 3, userAccessLevel: name.endsWith("PV") ? 1 : 3,
      value: { dataType, value },
    });
  }
  await server.start();
  console.log(server.getEndpointUrl());
  process.stdin.on("end", () => server.shutdown(0).then(() => process.exit(0)));
  process.stdin.resume();
}

main().catch((error) => { console.error(error); process.exit(1); });
