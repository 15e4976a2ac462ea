// The network of both apps, where `enabled`: a subnet each, one for private endpoints, and the zones of their names.
param location string
param tags object
param token string
param enabled bool

@description('The whole network; it is cut into three.')
param addressPrefix string

var apps = ['responder', 'executor']
var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  vault: 'privatelink.vaultcore.azure.net'
  namespace: 'privatelink.servicebus.windows.net'
}
var appSubnets = [
  for (app, i) in apps: {
    name: app
    properties: {
      addressPrefix: cidrSubnet(addressPrefix, 26, i)
      delegations: [
        {
          name: 'flex'
          properties: { serviceName: 'Microsoft.App/environments' }
        }
      ]
    }
  }
]
var endpointSubnet = {
  name: 'endpoints'
  properties: { addressPrefix: cidrSubnet(addressPrefix, 26, 2) }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = if (enabled) {
  name: 'vnet-backstop-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: concat(appSubnets, [endpointSubnet])
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in items(zoneNames): if (enabled) {
    name: zone.value
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, i) in items(zoneNames): if (enabled) {
    parent: zones[i]
    name: 'backstop'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

@description('Ids of the subnets by name; empty where there is no network.')
output subnets object = {
  responder: enabled ? '${network.id}/subnets/responder' : ''
  executor: enabled ? '${network.id}/subnets/executor' : ''
  endpoints: enabled ? '${network.id}/subnets/endpoints' : ''
}

@description('Ids of the private zones by service.')
output zones object = mapValues(zoneNames, name => resourceId('Microsoft.Network/privateDnsZones', name))
