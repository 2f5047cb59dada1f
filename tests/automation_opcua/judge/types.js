// Checks every object of a virtual plant against the official node sets of OPC UA, DI, AMB, Machinery and LADS: its type
// is one of theirs, every mandatory member of that type is there with its browse name and node class, types and data
// types fit, methods have the arguments of their declarations, and a state machine is in a state of its type.
// Then it damages what it has seen, and checks that it would have been told. Argument: URL. Prints JSON.
"use strict";
const { OPCUAClient, AttributeIds, BrowseDirection, NodeClass, StatusCodes, DataType } = require("node-opcua-client");
const { AddressSpace } = require("node-opcua-address-space");
const { generateAddressSpace } = require("node-opcua-address-space/nodeJS");
const { nodesets } = require("node-opcua-nodesets");

const UA = "http://opcfoundation.org/UA/";
const PLANT = "urn:seedtrain:plant";
const [url] = process.argv.slice(2);
const STATES = new Set([`${UA}#2307`, `${UA}#2309`]); // StateType, InitialStateType
const FINITE = `${UA}#2771`;
const HOLDS = new Set([47, 46, 35, 17604].map((number) => `${UA}#${number}`)); // component, property, organizes, add-in
const idOf = (nodeId, spaces) => `${spaces[nodeId.namespace]}#${nodeId.value}`;

// The node sets as they are, each node by namespace and number.
class Official {
  constructor(space) {
    this.space = space;
    this.spaces = space.getNamespaceArray().map((item) => item.namespaceUri);
  }

  node(id) {
    const cut = id.lastIndexOf("#");
    const index = this.spaces.indexOf(id.slice(0, cut));
    return index < 0 ? null : this.space.findNode(`ns=${index};i=${id.slice(cut + 1)}`);
  }

  id(node) {
    return idOf(node.nodeId, this.spaces);
  }

  name(browse) {
    return `${this.spaces[browse.namespaceIndex]}#${browse.name}`;
  }

  above(node) {
    const found = node.findReferencesEx("HasSubtype", BrowseDirection.Inverse)[0];
    return found ? this.space.findNode(found.nodeId) : null;
  }

  chain(node) {
    return node ? [node, ...this.chain(this.above(node))] : [];
  }

  is(id, ancestor) {
    return this.chain(this.node(id)).some((item) => this.id(item) === ancestor);
  }

  held(node) {
    return node.findReferencesEx("HierarchicalReferences", BrowseDirection.Forward)
      .filter((item) => HOLDS.has(idOf(item.referenceType, this.spaces)))
      .map((item) => [idOf(item.referenceType, this.spaces), this.space.findNode(item.nodeId)]);
  }

  // Mandatory members of a type, of those above it and of its interfaces: name -> declarations, the nearest first.
  members(node) {
    const found = new Map();
    for (const type of this.chain(node)) {
      const faces = type.findReferencesEx("HasInterface", BrowseDirection.Forward)
        .flatMap((item) => this.chain(this.space.findNode(item.nodeId)));
      for (const holder of [type, ...faces]) this.declared(holder, found);
    }
    return found;
  }

  declared(holder, found = new Map()) {
    for (const [reference, member] of this.held(holder)) {
      if (!["Mandatory", "Optional"].includes(member.modellingRule)) continue;
      const name = this.name(member.browseName);
      found.set(name, [...(found.get(name) || []), { reference, member }]);
    }
    return found;
  }

  states(node) {
    const held = this.chain(node).flatMap((type) => this.held(type).map(([, member]) => member));
    return new Map(held.filter((item) => item.typeDefinition && STATES.has(idOf(item.typeDefinition, this.spaces)))
      .map((item) => [this.id(item), item.browseName.name]));
  }
}

// What the plant has: every node below its devices, with its attributes and what it holds.
async function look(session) {
  const spaces = await session.readNamespaceArray();
  const nodes = new Map();
  let level = [`ns=${spaces.indexOf(`${UA}DI/`)};i=5001`];
  const devices = level[0];
  while (level.length) {
    const answers = await session.browse(level.map((nodeId) => (
      { nodeId, referenceTypeId: "References", includeSubtypes: true, browseDirection: BrowseDirection.Forward, resultMask: 63 })));
    const following = [];
    answers.forEach((answer, position) => {
      const here = nodes.get(level[position]) || { id: level[position], holds: [] };
      nodes.set(level[position], here);
      for (const item of answer.references) {
        const kind = idOf(item.referenceTypeId, spaces);
        if (!HOLDS.has(kind) || spaces[item.nodeId.namespace] !== PLANT) continue;
        const id = item.nodeId.toString();
        here.holds.push({ reference: kind, id });
        if (nodes.has(id)) continue;
        nodes.set(id, {
          id, holds: [], name: `${spaces[item.browseName.namespaceIndex]}#${item.browseName.name}`,
          kind: item.nodeClass, type: item.typeDefinition.isEmpty() ? "" : idOf(item.typeDefinition, spaces),
        });
        following.push(id);
      }
    });
    level = following;
  }
  const variables = [...nodes.values()].filter((item) => item.kind === NodeClass.Variable);
  const ask = (attributeId) => session.read(variables.map((item) => ({ nodeId: item.id, attributeId })));
  const [types, ranks, values] = [await ask(AttributeIds.DataType), await ask(AttributeIds.ValueRank), await ask(AttributeIds.Value)];
  variables.forEach((item, position) => {
    item.dataType = idOf(types[position].value.value, spaces);
    item.rank = ranks[position].value.value;
    const { value, statusCode } = values[position];
    Object.assign(item, { value: value.value, built: value.dataType, good: statusCode.isGood(), status: statusCode.name });
    if (item.value && item.value.namespace !== undefined) item.value = idOf(item.value, spaces);
  });
  nodes.delete(devices);
  return { nodes, spaces };
}

function checked(seen, official) {
  const faults = [];
  const fault = (node, words) => faults.push(`${node.id.replace(/^ns=\d+;s=/, "")}: ${words}`);
  for (const node of seen.nodes.values()) {
    if (node.kind === NodeClass.Method) continue;
    const type = official.node(node.type);
    if (!type) { fault(node, `has the type ${node.type || "none"}, which no node set has`); continue; }
    if (type.isAbstract) fault(node, `is of the abstract type ${type.browseName.name}`);
    if (node.kind === NodeClass.Variable) fits(node, official, fault);
    for (const [name, declarations] of official.members(type)) member(seen, official, node, name, declarations, fault);
    if (official.chain(type).some((item) => official.id(item) === FINITE)) state(seen, official, node, type, fault);
  }
  return faults;
}

// A value is of its node's own data type.
function fits(node, official, fault) {
  if (!node.good || node.built === DataType.Null) return;
  const built = node.built === DataType.ExtensionObject ? `${UA}#22` : `${UA}#${node.built}`;
  const own = official.node(node.dataType);
  if (!own) fault(node, `has the data type ${node.dataType}, which no node set has`);
  else if (!official.is(node.dataType, built)) fault(node, `is a ${built}, where ${own.browseName.name} is said`);
  const array = Array.isArray(node.value) || ArrayBuffer.isView(node.value);
  if (node.rank === -1 && array) fault(node, "is an array, where one value is said");
  if (node.rank === 1 && !array) fault(node, "is one value, where an array is said");
}

function member(seen, official, node, name, declarations, fault) {
  const mine = node.holds.map((item) => ({ ...item, node: seen.nodes.get(item.id) })).filter((item) => item.node.name === name);
  const short = name.slice(name.lastIndexOf("#") + 1);
  const [{ member: nearest }] = declarations;
  if (!mine.length) {
    if (declarations.some((item) => item.member.modellingRule === "Mandatory")) fault(node, `lacks ${short}`);
    return;
  }
  const [{ node: found, reference }] = mine;
  if (!declarations.some((item) => item.reference === reference)) fault(found, `hangs by ${reference}`);
  if (found.kind !== nearest.nodeClass) { fault(found, "is of another node class than its declaration"); return; }
  if (nearest.typeDefinition) {
    const wanted = idOf(nearest.typeDefinition, official.spaces);
    if (!official.is(found.type, wanted)) fault(found, `is a ${found.type}, where ${wanted} is asked for`);
  }
  if (found.kind === NodeClass.Variable && nearest.dataType) {
    const wanted = idOf(nearest.dataType, official.spaces);
    if (!official.is(found.dataType, wanted)) fault(found, `has the data type ${found.dataType}, where ${wanted} is asked for`);
    if (nearest.valueRank === 1 && found.rank !== 1) fault(found, "is no array, where one is asked for");
    if (nearest.valueRank === -1 && found.rank !== -1) fault(found, "is no single value, where one is asked for");
  }
  if (found.kind === NodeClass.Method) method(seen, declarations, found, fault);
  const below = new Map();
  for (const item of declarations) official.declared(item.member, below);
  for (const [inner, again] of below) {
    if (found.kind !== NodeClass.Method) member(seen, official, found, inner, again, fault);
  }
}

// The arguments of a method are those of its declaration, name by name.
function method(seen, declarations, found, fault) {
  for (const key of ["inputArguments", "outputArguments"]) {
    const declared = declarations.map((item) => item.member[`get${key[0].toUpperCase()}${key.slice(1)}`]())
      .find((item) => item.length) || [];
    const wanted = declared.map((item) => item.name);
    const held = found.holds.map((item) => seen.nodes.get(item.id)).find((item) => item.name.toLowerCase().endsWith(`#${key.toLowerCase()}`));
    const given = held ? held.value.map((item) => item.name) : [];
    if (wanted.join() !== given.join()) fault(found, `has the ${key} ${given.join() || "none"}, not ${wanted.join() || "none"}`);
  }
}

// The current state is one of the type's, by its id and by its name; a machine within another may be inactive.
function state(seen, official, node, type, fault) {
  const held = (item, name) => item && seen.nodes.get((item.holds.find((one) => seen.nodes.get(one.id).name === `${UA}#${name}`) || {}).id);
  const current = held(node, "CurrentState");
  const id = held(current, "Id");
  if (!current || !id) return; // told already
  if (current.status === StatusCodes.BadStateNotActive.name && id.status === current.status) return;
  const known = official.states(type);
  if (!known.has(id.value)) fault(id, `is ${id.value}, which is no state of ${type.browseName.name}`);
  else if (known.get(id.value) !== current.value.text) fault(current, `is ${current.value.text}, not ${known.get(id.value)}`);
}

// Every kind of damage, done to a copy: how many faults each makes.
function damaged(seen, official) {
  const find = (end) => [...seen.nodes.keys()].find((id) => id.endsWith(end));
  const kinds = {
    "a mandatory property is missing": (nodes) => drop(nodes, find("/FunctionSet/temperature/IsEnabled")),
    "a mandatory object is missing": (nodes) => drop(nodes, find("/Identification")),
    "a mandatory method is missing": (nodes) => drop(nodes, find("/Lock/BreakLock")),
    "a member of a member is missing": (nodes) => drop(nodes, find("/CurrentValue/EURange")),
    "a browse name is of another namespace": (nodes) => { nodes.get(find("/IsEnabled")).name = `${PLANT}#IsEnabled`; },
    "a type is nobody's": (nodes) => { nodes.get(find("/ProgramManager")).type = `${UA}LADS/#4711`; },
    "a type is another one": (nodes) => { nodes.get(find("/ProgramManager")).type = `${UA}#58`; },
    "a data type is another one": (nodes) => { nodes.get(find("/IsEnabled")).dataType = `${UA}#12`; },
    "a value is of another type": (nodes) => { nodes.get(find("/SerialNumber")).built = DataType.Double; },
    "a state is nobody's": (nodes) => { nodes.get(find("/DeviceState/CurrentState/Id")).value = `${UA}LADS/#5085`; },
    "an argument is missing": (nodes) => { nodes.get(find("/StartProgram/InputArguments")).value.pop(); },
  };
  return Object.fromEntries(Object.entries(kinds).map(([name, damage]) => {
    const nodes = new Map([...seen.nodes].map(([id, node]) => (
      [id, { ...node, holds: [...node.holds], value: Array.isArray(node.value) ? [...node.value] : node.value }])));
    damage(nodes);
    return [name, checked({ ...seen, nodes }, official).length];
  }));
}

function drop(nodes, gone) {
  for (const node of nodes.values()) node.holds = node.holds.filter((item) => item.id !== gone);
  nodes.delete(gone);
}

async function main() {
  const space = AddressSpace.create();
  await generateAddressSpace(space, [nodesets.standard, nodesets.di, nodesets.amb, nodesets.ia, nodesets.machinery, nodesets.lads]);
  const official = new Official(space);
  const client = OPCUAClient.create({ endpointMustExist: false, connectionStrategy: { maxRetry: 1 } });
  await client.connect(url);
  const session = await client.createSession();
  const seen = await look(session);
  await session.close();
  await client.disconnect();
  const types = {};
  for (const node of seen.nodes.values()) {
    const type = official.node(node.type);
    if (type && node.kind === NodeClass.Object) types[type.browseName.name] = (types[type.browseName.name] || 0) + 1;
  }
  console.log(JSON.stringify({ nodes: seen.nodes.size, types, faults: checked(seen, official), noticed: damaged(seen, official) }));
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
