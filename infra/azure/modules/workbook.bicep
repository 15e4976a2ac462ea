// The workbook that is generated from the catalog: burn, budget left, changes over the error rate.
param location string
param tags object
param environmentName string
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'backstop')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Backstop ${environmentName}'
    category: 'workbook'
    serializedData: string(loadJsonContent('../generated/workbook.json'))
    sourceId: workspaceId
  }
}

output id string = workbook.id
